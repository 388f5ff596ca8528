package main

import (
	"encoding/binary"
	"fmt"

	"github.com/maypok86/otter/v2"
)

var caches = map[string]*otter.Cache[string, []byte]{}

func valueOf(index, size int) []byte {
	value := make([]byte, max(size, 8))
	binary.LittleEndian.PutUint64(value, uint64(index))
	return value[:size]
}

func cacheFor(q question, keys []string) (*otter.Cache[string, []byte], error) {
	what := fmt.Sprint(q.Cache, q.Keys, q.Capacity, q.ValueBytes)
	if cache, ok := caches[what]; ok {
		return cache, nil
	}
	if q.Cache != "otter" || q.Capacity <= 0 || q.ValueBytes <= 0 {
		return nil, fmt.Errorf("\"cache\" is \"otter\", \"capacity\" and \"valueBytes\" are positive")
	}
	cache, err := otter.New(&otter.Options[string, []byte]{MaximumSize: q.Capacity})
	if err != nil {
		return nil, err
	}
	for i := 0; i < min(q.Keys, q.Capacity); i++ {
		cache.Set(keys[i], valueOf(i, q.ValueBytes))
	}
	cache.CleanUp()
	caches[what] = cache
	return cache, nil
}

func answerCache(q question, keys []string, indexes []uint32) (answer, error) {
	cache, err := cacheFor(q, keys)
	if err != nil {
		return nil, err
	}
	read := func(index int) bool {
		value, ok := cache.GetIfPresent(keys[index])
		return ok && len(value) == q.ValueBytes
	}
	getOrPut := func(index int) bool {
		hit := read(index)
		if !hit {
			cache.Set(keys[index], valueOf(index, q.ValueBytes))
		}
		return hit
	}
	one, ok := map[string]func(int) bool{"read": read, "mixed": getOrPut}[q.Kind]
	if !ok {
		return nil, fmt.Errorf("\"kind\" is \"read\" or \"mixed\"")
	}
	hits, seconds := run(indexes, q.Threads, one)
	cache.CleanUp()
	all := float64(len(indexes) * q.Threads)
	return answer{
		"opsPerSecond": all / seconds, "hitRatio": float64(hits) / all, "entries": cache.EstimatedSize(),
		"version": version("github.com/maypok86/otter/v2"),
	}, nil
}
