package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// sliceSweeps is how much of the day Telegraf reads, which would take too long for all of it.
const sliceSweeps = 24

// stored is a day as all read it: a file, its beginning with a file a sweep, and the files of an InfluxDB.
type stored struct {
	dir string
	day *day
}

func (s stored) file() string   { return filepath.Join(s.dir, "day.lp") }
func (s stored) slice() string  { return filepath.Join(s.dir, "slice") }
func (s stored) influx() string { return filepath.Join(s.dir, "influx") }

// label says what is stored; it is written when all of it is.
func (s stored) label() (name, text string) {
	return filepath.Join(s.dir, "label"), fmt.Sprintf("day of %d blocks, seed %d, form 1\n", len(s.day.blocks), s.day.seed)
}

// make stores the day, if it is not there already.
func (s stored) make(ctx context.Context) error {
	name, text := s.label()
	if have, err := os.ReadFile(name); err == nil && string(have) == text {
		say("reading %s: %s", s.dir, text[:len(text)-1])
		return nil
	}
	if err := errors.Join(os.RemoveAll(name), os.RemoveAll(s.slice()), os.RemoveAll(s.influx())); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(s.slice(), 0o755), os.MkdirAll(s.influx(), 0o755)); err != nil {
		return err
	}
	say("making a file of %s points", count(s.day.points(daySweeps)))
	if err := s.makeFiles(); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

func (s stored) makeFiles() error {
	if err := s.day.writeFile(s.file(), 0, daySweeps); err != nil {
		return err
	}
	for n := range sliceSweeps {
		if err := s.day.writeFile(filepath.Join(s.slice(), fmt.Sprintf("%03d.lp", n)), n, n+1); err != nil {
			return err
		}
	}
	return nil
}

// load writes the day into an InfluxDB sweep by sweep, as it would have come, and waits until it is compacted.
func (s stored) load(ctx context.Context) (err error) {
	db, err := openDatabase(ctx, s.influx(), quietAfterStart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	if err := errors.Join(db.CreateDatabase(ctx, rawDatabase), db.CreateDatabase(ctx, rollupDatabase)); err != nil {
		return err
	}
	begin := time.Now()
	for n := 0; n < daySweeps; n++ {
		if n%(daySweeps/8) == 0 {
			say("storing it in InfluxDB: sweep %d of %d after %v", n, daySweeps, time.Since(begin).Round(time.Second))
		}
		if err := db.load(ctx, s.day, n, n+1); err != nil {
			return err
		}
	}
	return db.settle(ctx, quietAfterLoad)
}

// open starts an InfluxDB on a copy of the stored files, so that all find the same.
func (s stored) open(ctx context.Context, copied string) (*database, error) {
	if err := os.RemoveAll(copied); err != nil {
		return nil, err
	}
	if err := os.CopyFS(copied, os.DirFS(s.influx())); err != nil {
		return nil, err
	}
	return openDatabase(ctx, copied, quietAfterStart)
}
