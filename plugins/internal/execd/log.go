package execd

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/influxdata/telegraf"
)

// levels by the names of log_level; "" is the default.
var levels = map[string]telegraf.LogLevel{
	"error": telegraf.Error, "warn": telegraf.Warn, "info": telegraf.Info, "": telegraf.Info, "debug": telegraf.Debug,
}

// Logger is a telegraf.Logger that writes lines which inputs.execd reads back at their level.
type Logger struct {
	out   *lockedWriter
	name  string
	level telegraf.LogLevel
}

// NewLogger makes the logger of a stanza, or of the process if name is empty. Loggers of one process share out
// by deriving from one: see With.
func NewLogger(out io.Writer) *Logger {
	return &Logger{out: &lockedWriter{w: out}, level: telegraf.Info}
}

// With returns a logger for one stanza.
func (l *Logger) With(name string, o *Options) *Logger {
	if o.Alias != "" {
		name += "::" + o.Alias
	}
	return &Logger{out: l.out, name: "[" + name + "] ", level: levels[o.LogLevel]}
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *Logger) print(level telegraf.LogLevel, text string) {
	if !l.level.Includes(level) {
		return
	}
	text = strings.TrimRight(text, "\n")
	line := level.Indicator() + " " + l.name + strings.ReplaceAll(text, "\n", "; ") + "\n"
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	io.WriteString(l.out.w, line)
}

func (l *Logger) Level() telegraf.LogLevel       { return l.level }
func (l *Logger) AddAttribute(string, any)       {}
func (l *Logger) Errorf(format string, a ...any) { l.print(telegraf.Error, fmt.Sprintf(format, a...)) }
func (l *Logger) Error(a ...any)                 { l.print(telegraf.Error, fmt.Sprint(a...)) }
func (l *Logger) Warnf(format string, a ...any)  { l.print(telegraf.Warn, fmt.Sprintf(format, a...)) }
func (l *Logger) Warn(a ...any)                  { l.print(telegraf.Warn, fmt.Sprint(a...)) }
func (l *Logger) Infof(format string, a ...any)  { l.print(telegraf.Info, fmt.Sprintf(format, a...)) }
func (l *Logger) Info(a ...any)                  { l.print(telegraf.Info, fmt.Sprint(a...)) }
func (l *Logger) Debugf(format string, a ...any) { l.print(telegraf.Debug, fmt.Sprintf(format, a...)) }
func (l *Logger) Debug(a ...any)                 { l.print(telegraf.Debug, fmt.Sprint(a...)) }
func (l *Logger) Tracef(format string, a ...any) { l.print(telegraf.Trace, fmt.Sprintf(format, a...)) }
func (l *Logger) Trace(a ...any)                 { l.print(telegraf.Trace, fmt.Sprint(a...)) }
