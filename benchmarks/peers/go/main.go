// The peers of Go: otter and throttled. Reads questions, a line of JSON each, and answers each with a line; ../README.md says what may be
// asked. What a question fills (a cache, a limiter) is kept for the next one that asks for the same.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type question struct {
	Work, Cache, Kind, Limiter, Indexes string
	Keys, Capacity, ValueBytes, Threads int
	Rules                               []rule
}

type answer map[string]any

func answerTo(line []byte, files *files) (answer, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return nil, err
	}
	if q.Keys <= 0 || q.Threads <= 0 {
		return nil, fmt.Errorf("\"keys\" and \"threads\" are positive")
	}
	indexes, err := files.indexes(q.Indexes, q.Keys)
	if err != nil {
		return nil, err
	}
	switch q.Work {
	case "cache":
		return answerCache(q, files.keys(q.Keys), indexes)
	case "limiter":
		return answerLimiter(q, files.keys(q.Keys), indexes)
	}
	return nil, fmt.Errorf("\"work\" is \"cache\" or \"limiter\"")
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	var files files
	for lines.Scan() {
		said, err := answerTo(lines.Bytes(), &files)
		if err != nil {
			said = answer{"error": err.Error()}
		}
		line, err := json.Marshal(said)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
