// A minimal client of our own, for there is no Go SDK that the module proxy serves: BSATN by encoding/binary, structs with
// decoders as a generator would write them, rows in maps.
package main

import (
	"encoding/binary"
	"errors"
	"math"
)

var errShort = errors.New("the bytes end too early")

// Reader takes values from a buffer. The first error stays.
type Reader struct {
	data []byte
	at   int
	err  error
}

func (r *Reader) take(size int) []byte {
	if r.err != nil || size < 0 || len(r.data)-r.at < size {
		if r.err == nil {
			r.err = errShort
		}
		return make([]byte, max(0, min(size, 32)))
	}
	taken := r.data[r.at : r.at+size]
	r.at += size
	return taken
}

func (r *Reader) Left() int     { return len(r.data) - r.at }
func (r *Reader) U8() uint8     { return r.take(1)[0] }
func (r *Reader) U16() uint16   { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *Reader) U32() uint32   { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *Reader) U64() uint64   { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *Reader) I32() int32    { return int32(r.U32()) }
func (r *Reader) I64() int64    { return int64(r.U64()) }
func (r *Reader) F64() float64  { return math.Float64frombits(r.U64()) }
func (r *Reader) Bytes() []byte { return r.take(int(r.U32())) }
func (r *Reader) Text() string  { return string(r.Bytes()) }
func (r *Reader) Identity() (id Identity) {
	copy(id[:], r.take(len(id)))
	return id
}

// OptionString is nil for none.
func (r *Reader) OptionString() *string {
	if r.U8() == 1 {
		return nil
	}
	text := r.Text()
	return &text
}

func list[T any](r *Reader, decode func(*Reader) T) []T {
	count := int(r.U32())
	items := make([]T, 0, min(count, r.Left()))
	for ; count > 0 && r.err == nil; count-- {
		items = append(items, decode(r))
	}
	return items
}

// Writer appends values to a buffer.
type Writer struct{ data []byte }

func (w *Writer) U8(value uint8)   { w.data = append(w.data, value) }
func (w *Writer) U32(value uint32) { w.data = binary.LittleEndian.AppendUint32(w.data, value) }
func (w *Writer) U64(value uint64) { w.data = binary.LittleEndian.AppendUint64(w.data, value) }
func (w *Writer) F64(value float64) {
	w.U64(math.Float64bits(value))
}
func (w *Writer) String(text string) {
	w.U32(uint32(len(text)))
	w.data = append(w.data, text...)
}

func (w *Writer) OptionString(text *string) {
	if text == nil {
		w.U8(1)
		return
	}
	w.U8(0)
	w.String(*text)
}

func writeList[T any](w *Writer, items []T, encode func(*Writer, T)) {
	w.U32(uint32(len(items)))
	for _, item := range items {
		encode(w, item)
	}
}
