package prober

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"echogram/plugins/internal/targets"
)

// Options as configurations and flags spell them. Errors are *Problem.

// ParsePattern reads a payload's pattern: "" (each byte its own place), "random" or hex digits.
func ParsePattern(s string) (Pattern, error) {
	if s == "" || s == "random" {
		return Pattern{Random: s != ""}, nil
	}
	b, err := hex.DecodeString(strings.ToLower(s))
	if err != nil {
		return Pattern{}, &Problem{Key: "pattern", Text: fmt.Sprintf(`%q is neither pairs of hex digits, such as ca or c0ffee, nor "random"`, s)}
	}
	return Pattern{Bytes: b}, nil
}

// ParseOrder reads the order of probing, "permuted" or "sequential". Without a seed one is drawn.
func ParseOrder(s string, seed *int64) (targets.Order, error) {
	o := targets.Order{Sequential: s == "sequential", Seed: rand.Uint64() >> 1}
	if s != "" && s != "permuted" && s != "sequential" {
		return o, &Problem{Key: "order", Text: fmt.Sprintf("%q is neither permuted nor sequential", s)}
	}
	if seed != nil {
		if *seed < 0 {
			return o, &Problem{Key: "seed", Text: fmt.Sprintf("%d is negative", *seed)}
		}
		o.Seed = uint64(*seed)
	}
	return o, nil
}

// ParsePerTarget reads which targets get a row of their own; "" is all.
func ParsePerTarget(s string) (PerTarget, error) {
	i := slices.Index(PerTargetNames(), s)
	if i < 0 && s != "" {
		return 0, &Problem{Key: "per_target", Text: fmt.Sprintf("%q is not one of %s", s, strings.Join(PerTargetNames(), ", "))}
	}
	return PerTarget(max(i, 0)), nil
}

// ParseTargets makes the set of targets that networks hold and exclude does not, for those who read no files and
// resolve no names.
func ParseTargets(networks, exclude []string) (*targets.Set, error) {
	list, err := NewTargetList(TargetConfig{Networks: networks, Exclude: exclude})
	if err != nil {
		return nil, err
	}
	set, err := list.Static()
	if err == nil && set == nil {
		err = &Problem{Key: "networks", Text: "a host name stands for no address here: give networks, ranges or addresses"}
	}
	return set, err
}
