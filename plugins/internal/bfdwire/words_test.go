package bfdwire

import (
	"fmt"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		v    fmt.Stringer
		want string
	}{
		{AdminDown, "AdminDown"}, {Down, "Down"}, {Init, "Init"}, {Up, "Up"},
		{DiagNone, "No Diagnostic"},
		{DiagDetectionTime, "Control Detection Time Expired"},
		{DiagEchoFailed, "Echo Function Failed"},
		{DiagNeighborDown, "Neighbor Signaled Session Down"},
		{Diag(4), "Forwarding Plane Reset"},
		{Diag(5), "Path Down"},
		{Diag(6), "Concatenated Path Down"},
		{DiagAdminDown, "Administratively Down"},
		{Diag(8), "Reverse Concatenated Path Down"},
		{Diag(9), "Mis-Connectivity Defect"},
		{Diag(17), "Diagnostic 17"},
		{Accepted, "accepted"},
		{RuleVersion, "version"},
		{RuleLength, "length"},
		{RulePayloadLength, "payload_length"},
		{RuleDetectMult, "detect_mult"},
		{RuleMultipoint, "multipoint"},
		{RuleMyDiscriminator, "my_discriminator"},
		{RuleYourDiscriminator, "your_discriminator"},
		{RuleAuthentication, "authentication"},
		{RuleAuthentication + 1, "unknown"},
		{Unknown, "unknown"}, {FRRTime, "frr-ts"}, {FRRZero, "frr-zero"}, {IOS, "ios-seq"}, {VPP, "vpp"},
		{ControlShaped, "control-shaped"}, {ControlShaped + 1, "unknown"},
	} {
		if c.v.String() != c.want {
			t.Errorf("%T %d is %q, want %q", c.v, c.v, c.v, c.want)
		}
	}
	for rule, want := range map[Rule]string{Accepted: "", RuleVersion: "RFC 5880 6.8.6", RuleMultipoint: "RFC 5880 6.8.6", RuleAuthentication: "RFC 5880 6.7"} {
		if rule.Section() != want {
			t.Errorf("%v is of %q, want %q", rule, rule.Section(), want)
		}
	}
}
