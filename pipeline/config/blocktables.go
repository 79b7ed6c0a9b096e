package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"echogram/pipeline/block"
	"echogram/sampleconfig/strict"
)

// Thresholds are the tables of [block], each with the fields of block.Config's of the same name. A number with a fraction
// lies between 0 and 1 unless the tag above says above what it lies; a count is 1 or more, a duration positive.
type Thresholds struct {
	Outage      Outage      `toml:"outage"`
	Renumbering Renumbering `toml:"renumbering"`
	Rate        Rate        `toml:"rate"`
	Churn       Churn       `toml:"churn"`
	Diurnal     Diurnal     `toml:"diurnal"`
}

// Outage is block.OutageConfig.
type Outage struct {
	Memory       strict.Duration `toml:"memory"`
	Stray        float64         `toml:"stray"`
	Dependence   float64         `toml:"dependence"`
	Sudden       strict.Duration `toml:"sudden"`
	Same         float64         `toml:"same"`
	Resettled    strict.Duration `toml:"resettled"`
	VantageLeast int             `toml:"vantage_least"`
	SpreadLeast  int             `toml:"spread_least"`
	SpreadShare  float64         `toml:"spread_share"`
}

// Renumbering is block.RenumberingConfig.
type Renumbering struct {
	Least  int             `toml:"least"`
	Low    float64         `toml:"low"`
	High   float64         `toml:"high" above:"1"`
	AtOnce float64         `toml:"at_once"`
	InTwo  float64         `toml:"in_two"`
	Parts  int             `toml:"parts"`
	Unused strict.Duration `toml:"unused"`
}

// Rate is block.RateConfig.
type Rate struct {
	Step           float64 `toml:"step" above:"1"`
	Sweeps         int     `toml:"sweeps"`
	Elasticity     float64 `toml:"elasticity"`
	ElasticityOver float64 `toml:"elasticity_over"`
	Steps          float64 `toml:"steps" above:"1"`
	Sure           float64 `toml:"sure" above:"0"`
	RandomShare    float64 `toml:"random_share"`
	RandomLeast    int     `toml:"random_least"`
	RandomMemory   int     `toml:"random_memory"`
	OftenRandom    float64 `toml:"often_random"`
	Capped         float64 `toml:"capped"`
	CappedOver     float64 `toml:"capped_over"`
	CappedLeast    int     `toml:"capped_least"`
}

// Churn is block.ChurnConfig.
type Churn struct {
	MostMisses int             `toml:"most_misses"`
	Irregular  float64         `toml:"irregular" above:"0"`
	Absent     float64         `toml:"absent" above:"0"`
	Certain    float64         `toml:"certain"`
	Mostly     float64         `toml:"mostly"`
	Hardly     float64         `toml:"hardly"`
	Jointly    strict.Duration `toml:"jointly"`
	Unusual    float64         `toml:"unusual" above:"0"`
	Fewest     int             `toml:"fewest"`
	Shuffled   float64         `toml:"shuffled"`
}

// Diurnal is block.DiurnalConfig.
type Diurnal struct {
	Strict    float64 `toml:"strict" above:"1"`
	StandsOut float64 `toml:"stands_out" above:"1"`
	Swing     float64 `toml:"swing"`
	Known     float64 `toml:"known"`
}

// each calls f with each threshold: the name of its table and itself, and its value, a *float64, *int or *strict.Duration.
func (t *Thresholds) each(f func(table, field reflect.StructField, value any)) {
	all := reflect.ValueOf(t).Elem()
	for i := range all.NumField() {
		table := all.Field(i)
		for k := range table.NumField() {
			f(all.Type().Field(i), table.Type().Field(k), table.Field(k).Addr().Interface())
		}
	}
}

// from takes the thresholds of c.
func (t *Thresholds) from(c block.Config) {
	t.each(func(table, field reflect.StructField, value any) {
		from := reflect.ValueOf(c).FieldByName(table.Name).FieldByName(field.Name)
		switch v := value.(type) {
		case *float64:
			*v = from.Float()
		case *int:
			*v = int(from.Int())
		case *strict.Duration:
			v.Duration = time.Duration(from.Int())
		}
	})
}

// to gives c the thresholds.
func (t *Thresholds) to(c *block.Config) {
	t.each(func(table, field reflect.StructField, value any) {
		to := reflect.ValueOf(c).Elem().FieldByName(table.Name).FieldByName(field.Name)
		switch v := value.(type) {
		case *float64:
			to.SetFloat(*v)
		case *int:
			to.SetInt(int64(*v))
		case *strict.Duration:
			to.SetInt(int64(v.Duration))
		}
	})
}

// thresholds checks each by its kind, and those that must not cross.
func (k *checker) thresholds(t *Thresholds) {
	t.each(func(table, field reflect.StructField, value any) {
		key := "block." + table.Tag.Get("toml") + "." + field.Tag.Get("toml")
		switch v := value.(type) {
		case *float64:
			k.fraction(key, *v, field.Tag.Get("above"))
		case *int:
			if *v < 1 {
				k.bad(key, "%d is less than 1", *v)
			}
		case *strict.Duration:
			if v.Duration <= 0 {
				k.bad(key, "%v is not positive", *v)
			}
		}
	})
	k.below("block.renumbering", "at_once", t.Renumbering.AtOnce, "in_two", t.Renumbering.InTwo)
	k.below("block.rate", "elasticity_over", t.Rate.ElasticityOver, "elasticity", t.Rate.Elasticity)
	k.below("block.rate", "capped", t.Rate.Capped, "capped_over", t.Rate.CappedOver)
	k.below("block.churn", "hardly", t.Churn.Hardly, "mostly", t.Churn.Mostly)
	if d := t.Churn.Jointly.Duration; d > 0 && (d < 10*time.Minute || d%(5*time.Minute) != 0) {
		k.bad("block.churn.jointly", "%v is not a multiple of 5m, 10m or longer: 30m would do", t.Churn.Jointly)
	}
}

// fraction checks a number that lies between 0 and 1, or above what is given.
func (k *checker) fraction(key string, v float64, above string) {
	least, err := strconv.ParseFloat(above, 64)
	switch {
	case err == nil && !(v > least && v <= math.MaxFloat64):
		k.bad(key, "%v does not lie above %s", v, above)
	case err != nil && !(v > 0 && v < 1):
		k.bad(key, "%v does not lie between 0 and 1", v)
	}
}

func (k *checker) below(table, low string, a float64, high string, b float64) {
	if a >= b {
		k.bad(table+"."+low, "%v is not less than %s, %v", a, high, b)
	}
}

// print gives the tables with all defaults filled in.
func (t *Thresholds) print() string {
	var b strings.Builder
	last := ""
	t.each(func(table, field reflect.StructField, value any) {
		if name := table.Tag.Get("toml"); name != last {
			fmt.Fprintf(&b, "[block.%s]\n", name)
			last = name
		}
		key := field.Tag.Get("toml")
		switch v := value.(type) {
		case *strict.Duration:
			fmt.Fprintf(&b, "%s = %q\n", key, *v)
		case *float64:
			fmt.Fprintf(&b, "%s = %v\n", key, *v)
		case *int:
			fmt.Fprintf(&b, "%s = %d\n", key, *v)
		}
	})
	return b.String() + "\n"
}
