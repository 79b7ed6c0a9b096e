package schema

import (
	"strconv"
	"strings"
)

// percentileNames spares the hot path making names.
var percentileNames = map[[2]string]*[101]string{}

func init() {
	for _, ends := range [][2]string{{"rtt_p", "_ns"}, {percentilePre, percentileEnd}} {
		names := new([101]string)
		for p := range names {
			names[p] = ends[0] + strconv.Itoa(p) + ends[1]
		}
		percentileNames[ends] = names
	}
}

func percentileName(prefix string, p int, suffix string) string {
	return percentileNames[[2]string{prefix, suffix}][p]
}

// percentileOf tells which percentile a field is, if any.
func percentileOf(key, prefix, suffix string) (p int, ok bool) {
	digits, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, suffix); !ok {
		return 0, false
	}
	p, err := strconv.Atoi(digits)
	return p, err == nil && p >= 0 && p <= 100
}
