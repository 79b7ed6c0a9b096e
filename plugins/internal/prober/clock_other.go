//go:build !linux

package prober

import (
	"context"
	"time"
)

var begin = time.Now()

type clock struct{}

func (clock) Real() int64                                { return time.Now().UnixNano() }
func (clock) Mono() int64                                { return int64(time.Since(begin)) }
func (clock) Sleep(ctx context.Context, d time.Duration) { sleep(ctx, d) }
