package path

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestRecordComesBack(t *testing.T) {
	want := &record{hogs: [][2]int64{{10, 20}, {30, 45}}, at: []int64{0, 5, 7}, rtt: []int64{5000, 4990, 70_000}}
	file := filepath.Join(t.TempDir(), "noise.varint.gz")
	if err := want.save(file); err != nil {
		t.Fatal(err)
	}
	if got, err := loadRecord(file); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
