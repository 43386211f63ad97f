package main

import (
	"bytes"
	"fmt"
)

func decode(run Run) Result {
	switch run.text("kind") {
	case "point":
		return decodeKind(run, decodePoint, func(total float64, row Point) float64 { return total + readPoint(row) })
	case "user":
		return decodeKind(run, decodeUser, func(total float64, row User) float64 { return total + readUser(row) })
	case "message":
		return decodeKind(run, decodeMessage, func(total float64, row Message) float64 { return total + readMessage(row) })
	default:
		return decodeKind(run, decodeComplex, readComplex)
	}
}

func decodeKind[T any](run Run, decode func(*Reader) T, read func(float64, T) float64) Result {
	rows := run.read("data")
	data := bytes.Join(rows, nil)
	return run.repeat(len(rows), func() float64 {
		reader, batch := &Reader{data: data}, make([]T, 0, len(rows))
		for reader.Left() > 0 && reader.err == nil {
			batch = append(batch, decode(reader))
		}
		total := 0.0
		for _, row := range batch {
			total = read(total, row)
		}
		return total
	})
}

func encode(run Run) Result {
	switch run.text("kind") {
	case "point":
		return encodeKind(run, decodePoint, encodePoint)
	case "user":
		return encodeKind(run, decodeUser, encodeUser)
	case "message":
		return encodeKind(run, decodeMessage, encodeMessage)
	default:
		return encodeKind(run, decodeComplex, encodeComplex)
	}
}

func encodeKind[T any](run Run, decode func(*Reader) T, encode func(*Writer, T)) Result {
	data := run.read("data")
	rows := make([]T, len(data))
	for place, bytes := range data {
		rows[place] = decode(&Reader{data: bytes})
	}
	writer := &Writer{data: make([]byte, 0, 1024)}
	for place, row := range rows {
		writer.data = writer.data[:0]
		encode(writer, row)
		check(bytes.Equal(writer.data, data[place]), "other bytes than were given")
	}
	return run.repeat(len(rows), func() float64 {
		total := 0
		for _, row := range rows {
			writer.data = writer.data[:0]
			encode(writer, row)
			total += len(writer.data)
		}
		return float64(total)
	})
}

func subscribe(run Run) Result {
	body := run.read("data")[0]
	rows, callback := int(run.number("rows")), run.is("callback")
	return run.repeat(rows, func() float64 {
		total := 0.0
		table := &Table{rows: map[uint64]Message{}}
		if callback {
			table.onInsert = func(row Message) { total += readMessage(row) }
		}
		must(table.Receive(body))
		check(len(table.rows) == rows, "rows are missing")
		if callback {
			return total
		}
		return float64(rows)
	})
}

func transactions(run Run) Result {
	there, back := run.read("there"), run.read("back")
	total := 0.0
	table := &Table{rows: map[uint64]Message{}}
	table.onInsert = func(row Message) { total += readMessage(row) }
	table.onUpdate = func(before, after Message) {
		total += float64(after.ID) + one(after.Sender == me) + one(after.Sent > cutoff)
		total += float64(len(after.Text)) - float64(len(before.Text))
	}
	must(table.Receive(run.read("data")[0]))
	first := len(table.rows)
	turn := func(watch *Stopwatch) float64 {
		total = 0
		watch.start()
		for _, body := range there {
			must(table.Receive(body))
		}
		watch.stop(int(run.number("size")) * len(there))
		for _, body := range back {
			must(table.Receive(body))
		}
		check(len(table.rows) == first, "rows are missing")
		return total
	}
	checksum := turn(&Stopwatch{})
	for end := cpuSeconds() + run.warmSeconds(); cpuSeconds() < end; {
		turn(&Stopwatch{})
	}
	watch := &Stopwatch{}
	for watch.CPU < run.seconds() || watch.Work == 0 {
		check(turn(watch) == checksum, "another checksum")
	}
	return Result{Rates: map[string]*Stopwatch{"rate": watch}, Values: map[string]float64{}, Checksum: checksum}
}

var scenarios = map[string]func(Run) Result{
	"decode": decode, "encode": encode, "subscribe": subscribe, "transactions": transactions,
}

func check(condition bool, text string) {
	if !condition {
		panic(fmt.Sprintf("Error: %s", text))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
