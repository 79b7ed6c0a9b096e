package main

import (
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"echogram/plugins/internal/prober"
)

// flagNames are the flags for what configurations spell otherwise, beyond the underscores. The first that a command
// has is meant.
var flagNames = map[string][]string{
	"networks":       {"TARGET"},
	"target_files":   {"targets-file"},
	"exclude_files":  {"exclude-file"},
	"labels_file":    {"labels"},
	"count_interval": {"count-interval", "interval"},
	"source":         {"source", "interface"},
	"ring_mib":       {"ring"},
}

// flagWords are the places in the words for a problem that speak of other options.
var flagWords = strings.NewReplacer(
	"on_link", "--on-link", "contradicts df", "contradicts --df", "fragment = true", "--fragment",
	"leave out retries or sizes", "leave out --retries, or give one --size",
)

// flagProblem says in the words of the command line what is wrong with it: which flag, what was given where the
// problem does not say so itself, and what would be right.
func flagProblem(flags *pflag.FlagSet, p *prober.Problem) string {
	key, _, _ := strings.Cut(p.Key, "[")
	text := p.Text
	if flags.Lookup("fragment") == nil {
		text, _, _ = strings.Cut(text, ": fragment = true")
	}
	text = flagWords.Replace(text)
	names, special := flagNames[key]
	if !special {
		names = []string{strings.ReplaceAll(key, "_", "-")}
	}
	for _, name := range names {
		f := flags.Lookup(name)
		switch {
		case f == nil:
		case strings.HasPrefix(text, "must"):
			return "--" + name + " " + f.Value.String() + ": " + text
		default:
			return "--" + name + ": " + text
		}
	}
	if key == "networks" {
		return text
	}
	return key + ": " + text
}

// section is a heading of a command's help and the flags under it.
type section struct {
	title string
	flags *pflag.FlagSet
}

func newSection(title string, add func(*pflag.FlagSet)) section {
	flags := pflag.NewFlagSet(title, pflag.ContinueOnError)
	flags.SortFlags = false
	add(flags)
	return section{title, flags}
}

// addSections gives a command the flags of all sections, and a help that keeps them apart.
func addSections(cmd *cobra.Command, sections []section) {
	cmd.Flags().SortFlags = false // completion keeps their order, too
	for _, s := range sections {
		s.flags.VisitAll(func(f *pflag.Flag) {
			plain := *f
			plain.Usage = strings.ReplaceAll(f.Usage, "`", "") // which mark a flag's value for the help, not for the shell
			cmd.Flags().AddFlag(&plain)
		})
	}
	cmd.SetUsageFunc(func(c *cobra.Command) error {
		width := 100
		if isTerminal(os.Stdout) {
			width, _ = terminalSize(os.Stdout)
		}
		c.Printf("Usage:\n  %s\n\nExamples:\n%s\n", c.UseLine(), c.Example)
		for _, s := range sections {
			c.Printf("\n%s:\n%s", s.title, s.flags.FlagUsagesWrapped(width))
		}
		return nil
	})
}

// completeWords has the shell offer the values of a flag.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	complete(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeInterfaces has the shell offer the network interfaces.
func completeInterfaces(cmd *cobra.Command, flag string) {
	complete(cmd, flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		links, _ := net.Interfaces() // without them there is nothing to offer
		for _, l := range links {
			names = append(names, l.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

func complete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // there is no such flag
	}
}
