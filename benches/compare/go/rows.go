package main

// Identity is as BSATN has it: the least significant byte first.
type Identity [32]byte

type Point struct{ X, Y, Z float64 }

type User struct {
	Identity Identity
	Name     *string
	Online   bool
}

type Message struct {
	ID     uint64
	Sender Identity
	Sent   int64
	Text   string
}

type Attribute struct {
	Key   string
	Value int64
}

// State is one of StateIdle, StateMoving, StateWaiting.
type State interface{ isState() }

type StateIdle struct{}
type StateMoving struct{ Value Point }
type StateWaiting struct{ Value string }

func (StateIdle) isState()    {}
func (StateMoving) isState()  {}
func (StateWaiting) isState() {}

type Complex struct {
	ID         uint64
	Owner      Identity
	Created    int64
	Title      string
	Note       *string
	Position   Point
	Tags       []string
	Scores     []int32
	Attributes []Attribute
	State      State
}

func decodePoint(r *Reader) Point { return Point{r.F64(), r.F64(), r.F64()} }

func decodeUser(r *Reader) User { return User{r.Identity(), r.OptionString(), r.U8() == 1} }

func decodeMessage(r *Reader) Message { return Message{r.U64(), r.Identity(), r.I64(), r.Text()} }

func decodeAttribute(r *Reader) Attribute { return Attribute{r.Text(), r.I64()} }

func decodeState(r *Reader) State {
	switch r.U8() {
	case 0:
		return StateIdle{}
	case 1:
		return StateMoving{decodePoint(r)}
	default:
		return StateWaiting{r.Text()}
	}
}

func decodeComplex(r *Reader) Complex {
	return Complex{
		ID: r.U64(), Owner: r.Identity(), Created: r.I64(), Title: r.Text(), Note: r.OptionString(),
		Position: decodePoint(r), Tags: list(r, (*Reader).Text), Scores: list(r, (*Reader).I32),
		Attributes: list(r, decodeAttribute), State: decodeState(r),
	}
}

func encodePoint(w *Writer, p Point) {
	w.F64(p.X)
	w.F64(p.Y)
	w.F64(p.Z)
}

func encodeUser(w *Writer, u User) {
	w.data = append(w.data, u.Identity[:]...)
	w.OptionString(u.Name)
	if u.Online {
		w.U8(1)
	} else {
		w.U8(0)
	}
}

func encodeMessage(w *Writer, m Message) {
	w.U64(m.ID)
	w.data = append(w.data, m.Sender[:]...)
	w.U64(uint64(m.Sent))
	w.String(m.Text)
}

func encodeComplex(w *Writer, c Complex) {
	w.U64(c.ID)
	w.data = append(w.data, c.Owner[:]...)
	w.U64(uint64(c.Created))
	w.String(c.Title)
	w.OptionString(c.Note)
	encodePoint(w, c.Position)
	writeList(w, c.Tags, (*Writer).String)
	writeList(w, c.Scores, func(w *Writer, score int32) { w.U32(uint32(score)) })
	writeList(w, c.Attributes, func(w *Writer, a Attribute) {
		w.String(a.Key)
		w.U64(uint64(a.Value))
	})
	switch state := c.State.(type) {
	case StateMoving:
		w.U8(1)
		encodePoint(w, state.Value)
	case StateWaiting:
		w.U8(2)
		w.String(state.Value)
	default:
		w.U8(0)
	}
}
