package influx

import (
	"context"
	"errors"
)

// Write writes lines of line protocol, and tries again as often as Config.Retries says. It returns nil only when the
// server has acknowledged all of them. An empty lines is nothing to do.
func (c *Client) Write(ctx context.Context, lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	text := string(lines)
	return c.retry(ctx, func() error {
		return c.client.WriteAPIBlocking(c.cfg.Org, c.cfg.Bucket).WriteRecord(ctx, text)
	})
}

// IsTemporary tells whether err is a failed request that may succeed later.
func IsTemporary(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Temporary()
}
