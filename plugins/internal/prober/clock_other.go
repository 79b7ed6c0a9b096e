//go:build !linux

package prober

import (
	"context"
	"time"
)

var begin = time.Now()

type clock struct{}

func (clock) Mono() int64                                { return int64(time.Since(begin)) }
func (clock) Offset() int64                              { return begin.UnixNano() }
func (clock) Sleep(ctx context.Context, d time.Duration) { sleep(ctx, d) }
