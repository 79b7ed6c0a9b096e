package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"echogram/pipeline/report"
)

// pageOutput is where the page of networks goes.
type pageOutput struct{ file string }

// pageFlags adds the flag of the page.
func pageFlags(cmd *cobra.Command) *pageOutput {
	p := &pageOutput{}
	cmd.Flags().StringVar(&p.file, "page", "", "write all there is to say of networks as one HTML `FILE` that loads nothing: maps, tables, calendars, events")
	return p
}

// wanted tells whether a page is asked for.
func (p *pageOutput) wanted() bool { return p.file != "" }

// check refuses what is no name of a page: the flag takes the word behind it, which may have been meant as a FILE to read.
func (p *pageOutput) check() error {
	switch strings.ToLower(filepath.Ext(p.file)) {
	case ".html", ".htm":
		return nil
	}
	return fmt.Errorf("--page %s does not end in .html: the word behind --page names the page that is written, such as --page network.html", p.file)
}

// write makes the file, or replaces it when the page is whole, and names it on stdout.
func (p *pageOutput) write(c *report.Collection, stdout io.Writer) error {
	if len(c.Networks) == 0 {
		text := "report: no rows of networks, so no page"
		if seen := c.Seen(); seen != "" {
			text += ": there are " + seen
		}
		return errors.New(text)
	}
	out, err := os.CreateTemp(filepath.Dir(p.file), filepath.Base(p.file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	err = c.Page(out, report.PageConfig{})
	if err = errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), p.file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\tnetworks as one page, which loads nothing: %d\n", p.file, len(c.Networks))
	return err
}
