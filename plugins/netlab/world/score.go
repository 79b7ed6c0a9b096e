package world

import "echogram/plugins/schema"

// Share is a part of a whole number of cases.
type Share struct{ Right, Of int }

// Figures is how well rows of block analytics tell a world's truth.
type Figures struct {
	Precision, Recall Share // of outages of whole blocks
	Begin, End        Share // within one sweep, of those found
}

// Score compares rows of block_outage, block_churn, block_daily and block_state with the truth. Rows of other kinds are
// passed over; of rows with the same series and time the last counts.
func Score(t *Truth, rows []schema.Row) *Figures { return new(Figures) }

// Text is the table of the figures for a terminal.
func (f *Figures) Text() string { return "" }

// Markdown is the same for a document.
func (f *Figures) Markdown() string { return "" }
