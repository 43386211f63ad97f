package main

import "fmt"

// Table holds messages by primary key, and calls a callback after each transaction has been applied.
type Table struct {
	rows     map[uint64]Message
	onInsert func(Message)
	onUpdate func(before, after Message)
}

// Receive applies a message of protocol v2: the answer to a subscription, or a transaction.
func (t *Table) Receive(body []byte) error {
	r := &Reader{data: body}
	switch tag := r.U8(); tag {
	case 1:
		r.take(8) // request, query set
		for tables := r.U32(); tables > 0 && r.err == nil; tables-- {
			r.Text()
			t.apply(rowList(r), nil)
		}
	case 4:
		for sets := r.U32(); sets > 0 && r.err == nil; sets-- {
			r.U32()
			for tables := r.U32(); tables > 0 && r.err == nil; tables-- {
				r.Text()
				for chunks := r.U32(); chunks > 0 && r.err == nil; chunks-- {
					r.U8()
					inserts := rowList(r)
					t.apply(inserts, rowList(r))
				}
			}
		}
	default:
		return fmt.Errorf("message %d is not known", tag)
	}
	return r.err
}

func rowList(r *Reader) []Message {
	if r.U8() == 0 {
		r.U16()
	} else {
		r.take(8 * int(r.U32()))
	}
	rows := &Reader{data: r.Bytes()}
	var messages []Message
	for rows.Left() > 0 && rows.err == nil {
		messages = append(messages, decodeMessage(rows))
	}
	if r.err == nil {
		r.err = rows.err
	}
	return messages
}

func (t *Table) apply(inserts, deletes []Message) {
	var old map[uint64]Message
	if len(deletes) > 0 {
		old = make(map[uint64]Message, len(deletes))
	}
	for _, row := range deletes {
		old[row.ID] = row
		delete(t.rows, row.ID)
	}
	for _, row := range inserts {
		t.rows[row.ID] = row
	}
	for _, row := range inserts {
		if before, found := old[row.ID]; found && t.onUpdate != nil {
			t.onUpdate(before, row)
		} else if t.onInsert != nil {
			t.onInsert(row)
		}
	}
}
