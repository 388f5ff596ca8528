package main

import (
	"context"
	"fmt"
	"time"

	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
)

type rule struct {
	Limit, PeriodMs int
}

var limiters = map[string][]*throttled.GCRARateLimiterCtx{}

// throttled on its store in memory, without a bound on keys. Several rules are several limiters, asked one after another.
func limitersFor(q question) ([]*throttled.GCRARateLimiterCtx, error) {
	what := fmt.Sprint(q.Limiter, q.Keys, q.Rules, q.Indexes)
	if known, ok := limiters[what]; ok {
		return known, nil
	}
	if q.Limiter != "throttled" || len(q.Rules) == 0 {
		return nil, fmt.Errorf("\"limiter\" is \"throttled\", \"rules\" a list of {limit, periodMs}")
	}
	var made []*throttled.GCRARateLimiterCtx
	for _, rule := range q.Rules {
		if rule.Limit <= 0 || rule.PeriodMs <= 0 {
			return nil, fmt.Errorf("\"limit\" and \"periodMs\" are positive")
		}
		store, err := memstore.NewCtx(0)
		if err != nil {
			return nil, err
		}
		rate := throttled.PerDuration(rule.Limit, time.Duration(rule.PeriodMs)*time.Millisecond)
		limiter, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{MaxRate: rate, MaxBurst: rule.Limit - 1})
		if err != nil {
			return nil, err
		}
		made = append(made, limiter)
	}
	limiters[what] = made
	return made, nil
}

func answerLimiter(q question, keys []string, indexes []uint32) (answer, error) {
	rules, err := limitersFor(q)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	allowed, seconds := run(indexes, q.Threads, func(index int) bool {
		for _, rule := range rules {
			// Lost races of its compare-and-swap are an error; they count as refused.
			if limited, _, err := rule.RateLimitCtx(ctx, keys[index], 1); limited || err != nil {
				return false
			}
		}
		return true
	})
	all := float64(len(indexes) * q.Threads)
	return answer{
		"checksPerSecond": all / seconds, "allowed": float64(allowed) / all,
		"version": version("github.com/throttled/throttled/v2"),
	}, nil
}
