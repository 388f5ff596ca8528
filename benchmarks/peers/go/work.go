package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Key i is the sixteen digits of SplitMix64(i): every peer makes the same ones.
func keyOf(index uint64) string {
	z := (index + 1) * 0x9E3779B97F4A7C15
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return fmt.Sprintf("%016x", z^(z>>31))
}

// What questions share: keys, and indexes that were read.
type files struct {
	made []string
	read map[string][]uint32
}

func (f *files) keys(count int) []string {
	if len(f.made) != count {
		var all strings.Builder // one block, as the others have it
		for i := 0; i < count; i++ {
			all.WriteString(keyOf(uint64(i)))
		}
		f.made = make([]string, count)
		for i := range f.made {
			f.made[i] = all.String()[16*i : 16*i+16]
		}
	}
	return f.made
}

func (f *files) indexes(file string, below int) ([]uint32, error) {
	if known, ok := f.read[file]; ok {
		return known, nil
	}
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	indexes := make([]uint32, len(bytes)/4)
	for i := range indexes {
		indexes[i] = binary.LittleEndian.Uint32(bytes[4*i:])
		if int(indexes[i]) >= below {
			return nil, fmt.Errorf("%s holds indexes from 0 to %d", file, below)
		}
	}
	if len(indexes) == 0 {
		return nil, fmt.Errorf("%s is empty", file)
	}
	if f.read == nil {
		f.read = map[string][]uint32{}
	}
	f.read[file] = indexes
	return indexes, nil
}

// Every thread goes over all of `indexes` once, thread t from its t-th part on. How many of the calls of `one` said yes, and the seconds
// that all of them took together.
func run(indexes []uint32, threads int, one func(index int) bool) (int64, float64) {
	var done sync.WaitGroup
	var yes atomic.Int64
	begin := make(chan struct{})
	for thread := 0; thread < threads; thread++ {
		at := len(indexes) / threads * thread
		done.Add(1)
		go func() {
			defer done.Done()
			<-begin
			mine := int64(0)
			for _, part := range [][]uint32{indexes[at:], indexes[:at]} {
				for _, index := range part {
					if one(int(index)) {
						mine++
					}
				}
			}
			yes.Add(mine)
		}()
	}
	start := time.Now()
	close(begin)
	done.Wait()
	return yes.Load(), time.Since(start).Seconds()
}

func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return strings.TrimPrefix(dependency.Version, "v")
		}
	}
	return "?"
}
