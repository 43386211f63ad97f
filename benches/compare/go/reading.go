package main

// The same checksums as ../reading.py.

const cutoff = 1_795_000_000_000_000 + 500_000

var me = Identity{0: 7, 31: 0xc2}

func one(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}

func length(text *string) float64 {
	if text == nil {
		return 0
	}
	return float64(len(*text))
}

func readPoint(p Point) float64 { return p.X + p.Y + p.Z }

func readUser(u User) float64 { return length(u.Name) + one(u.Identity == me) + one(u.Online) }

func readMessage(m Message) float64 {
	return float64(m.ID) + one(m.Sender == me) + one(m.Sent > cutoff) + float64(len(m.Text))
}

// In the order of additions of the others: floats are compared bit by bit.
func readComplex(total float64, c Complex) float64 {
	total += float64(c.ID) + one(c.Owner == me) + one(c.Created > cutoff) + float64(len(c.Title))
	total += length(c.Note)
	total += c.Position.X + c.Position.Y + c.Position.Z
	for _, tag := range c.Tags {
		total += float64(len(tag))
	}
	for _, score := range c.Scores {
		total += float64(score)
	}
	for _, attribute := range c.Attributes {
		total += float64(len(attribute.Key)) + float64(attribute.Value)
	}
	switch state := c.State.(type) {
	case StateMoving:
		total += state.Value.X + state.Value.Y + state.Value.Z
	case StateWaiting:
		total += float64(len(state.Value))
	}
	return total
}
