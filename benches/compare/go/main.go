package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Run is one scenario, once. Reads and writes what ../side.py does.
type Run struct {
	Scenario string         `json:"scenario"`
	Options  map[string]any `json:"options"`
	Folder   string         `json:"folder"`
	Quick    bool           `json:"quick"`
}

type Result struct {
	Rates    map[string]*Stopwatch `json:"rates"`
	Values   map[string]float64    `json:"values"`
	Checksum float64               `json:"checksum"`
}

// Stopwatch adds up work and the time it took, by the process's CPU and by the wall.
type Stopwatch struct {
	Work int     `json:"work"`
	CPU  float64 `json:"cpu"`
	Wall float64 `json:"wall"`

	cpuStart, wallStart float64
}

func (w *Stopwatch) start() { w.wallStart, w.cpuStart = now(), cpuSeconds() }

func (w *Stopwatch) stop(work int) {
	w.CPU += cpuSeconds() - w.cpuStart
	w.Wall += now() - w.wallStart
	w.Work += work
}

var begin = time.Now()

func now() float64 { return time.Since(begin).Seconds() }

func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

const warmSeconds = 0.4

// window is seconds between two looks at the clocks, which take as long as the shortest bodies.
const window = 0.001

func (run Run) warmSeconds() float64 { return run.unlessQuick(warmSeconds) }
func (run Run) seconds() float64     { return run.unlessQuick(0.6) }

func (run Run) unlessQuick(seconds float64) float64 {
	if run.Quick {
		return 0
	}
	return seconds
}

func (run Run) text(option string) string    { return run.Options[option].(string) }
func (run Run) number(option string) float64 { return run.Options[option].(float64) }
func (run Run) is(option string) bool        { return run.Options[option].(bool) }

// read gives the bodies of a data file, each behind its length in 4 bytes.
func (run Run) read(option string) (bodies [][]byte) {
	data, err := os.ReadFile(filepath.Join(run.Folder, run.text(option)))
	must(err)
	for len(data) > 0 {
		end := 4 + binary.LittleEndian.Uint32(data)
		bodies = append(bodies, data[4:end])
		data = data[end:]
	}
	return bodies
}

func (run Run) repeat(work int, body func() float64) Result {
	checksum, bodies := body(), 1
	for end := cpuSeconds() + run.warmSeconds(); cpuSeconds() < end; bodies++ {
		body()
	}
	atOnce := max(1, int(float64(bodies)*window/warmSeconds))
	watch := &Stopwatch{}
	for watch.CPU < run.seconds() || watch.Work == 0 {
		again := checksum
		watch.start()
		for range atOnce {
			again = body()
		}
		watch.stop(work * atOnce)
		check(again == checksum, "the checksum has changed")
	}
	return Result{Rates: map[string]*Stopwatch{"rate": watch}, Values: map[string]float64{}, Checksum: checksum}
}

func main() {
	var run Run
	must(json.NewDecoder(os.Stdin).Decode(&run))
	scenario, found := scenarios[run.Scenario]
	if !found {
		fmt.Println(`{"failed": "the Go side has no such scenario"}`)
		return
	}
	must(json.NewEncoder(os.Stdout).Encode(scenario(run)))
}
