package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/selkie-go/selkie/sim"
)

// parsed returns how often each element is in a picture, which has to be
// well-formed and without a number that is none.
func parsed(t *testing.T, svg string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			counts[e.Name.Local]++
			for _, a := range e.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("%s %s=%q", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	return counts
}

func one(mark sim.SeriesMark, x, y []float64) sim.Figure {
	return sim.Figure{Series: []sim.Series{{Name: "one", Mark: mark, X: x, Y: y}}}
}

func TestEveryMarkIsDrawn(t *testing.T) {
	x, y := []float64{1, 2, 4}, []float64{1, 3, 2}
	for mark, want := range map[sim.SeriesMark]string{
		sim.MarkLine:   `stroke-width="3"`,
		sim.MarkTheory: `stroke-dasharray="6 4"`,
		sim.MarkPoints: `stroke-linecap="round"`,
		sim.MarkBars:   `<rect `,
	} {
		f := one(mark, x, y)
		for _, f.X.Log = range []bool{false, true} {
			svg := SVG(f, 860, 420)
			if parsed(t, svg); !strings.Contains(svg, want) {
				t.Errorf("no %s for %s in\n%s", want, mark, svg)
			}
			if !strings.Contains(svg, "<tspan x=\"8\">one: 1 → 1</tspan>") {
				t.Errorf("the value of %s can not be seen in\n%s", mark, svg)
			}
		}
	}
	if n := parsed(t, SVG(one(sim.MarkBars, x, y), 860, 420))["rect"]; n != 6 {
		t.Errorf("%d bars for three values, and as many places to point at", n)
	}
}

func TestWhatIsNoNumberIsLeftOut(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	f := one(sim.MarkLine, []float64{1, 2, 3, nan, 5, 6, 7}, []float64{1, nan, 3, 4, inf, -inf, 7, 8})
	svg := SVG(f, 860, 420)
	parsed(t, svg)
	if got := Omitted(f); got != "5 of one" {
		t.Errorf("%q are said to be left out, not 4 and one without a partner", got)
	}
	if got := Omitted(one(sim.MarkLine, []float64{1}, []float64{0})); got != "" {
		t.Errorf("%q are said to be left out, but none was", got)
	}
	for _, mark := range []sim.SeriesMark{sim.MarkLine, sim.MarkTheory, sim.MarkPoints, sim.MarkBars} {
		for _, values := range [][]float64{nil, {}, {0}, {-3}, {5}, {0, 0}, {-1, 0, 1}, {nan}, {0, 0.001}, {3e5, 3e5 + 1}, {1e-300, 1e300}, {-math.MaxFloat64, math.MaxFloat64}} {
			for i := range 8 {
				f := one(mark, values, values)
				f.X.Log, f.Y.Log = i&1 != 0, i&2 != 0
				if i&4 != 0 {
					f.X.Names = []string{"a", "b"}
				}
				for _, width := range []int{860, 360} {
					parsed(t, SVG(f, width, 420))
				}
			}
		}
	}
}

func TestALineEndsWhereAValueIsMissing(t *testing.T) {
	svg := SVG(one(sim.MarkTheory, []float64{1, 2, 3, 4, 5}, []float64{1, 1, math.NaN(), 1, 1}), 860, 420)
	if !strings.Contains(svg, `<path d="M`) {
		t.Fatal(svg)
	}
	_, path, _ := strings.Cut(svg, `<path d="M`)
	for !strings.Contains(path[:strings.Index(path, "/>")], "dasharray") {
		_, path, _ = strings.Cut(path, `<path d="M`)
	}
	path, _, _ = strings.Cut(path, `"`)
	if strings.Count(path, "M") != 1 || strings.Count(path, "L") != 2 {
		t.Errorf("got M%s", path)
	}
}

func TestAnEmptyFigureSaysSo(t *testing.T) {
	for _, f := range []sim.Figure{{}, one(sim.MarkBars, nil, nil), {X: sim.Axis{Names: []string{"a"}}}} {
		if svg := SVG(f, 860, 420); parsed(t, svg)["svg"] != 1 || !strings.Contains(svg, "nothing was observed") {
			t.Errorf("got %s", svg)
		}
	}
}

func TestTextIsNeverMarkup(t *testing.T) {
	const bad = `<script>"a" & 'b'</script>`
	f := sim.Figure{Title: bad, X: sim.Axis{Names: []string{bad, bad}}, Series: []sim.Series{{Name: bad, X: []float64{0}, Y: []float64{1}}}}
	svg := SVG(f, 860, 420)
	if parsed(t, svg)["script"] != 0 {
		t.Errorf("got %s", svg)
	}
}

func TestWhatIsExpectedHasTheColourOfWhatWasMeasured(t *testing.T) {
	series := []sim.Series{
		{Name: "N = 10"}, {Name: "N = 100"}, {Name: "theory, N = 100", Mark: sim.MarkTheory},
		{Name: "theory, N = 10", Mark: sim.MarkTheory}, {Name: "bound", Mark: sim.MarkTheory},
	}
	got := looks(series)
	for i, want := range []look{{hues[0].measured, 0}, {hues[1].measured, 1}, {hues[1].expected, 1}, {hues[0].expected, 0}, {noHue, -1}} {
		if got[i] != want {
			t.Errorf("%s: got %v, want %v", series[i].Name, got[i], want)
		}
	}
	// Without a name in common, their order says what belongs together.
	got = looks([]sim.Series{{Name: "a"}, {Name: "b"}, {Name: "x", Mark: sim.MarkTheory}, {Name: "y", Mark: sim.MarkTheory}})
	if got[2].colour != hues[0].expected || got[3].colour != hues[1].expected {
		t.Errorf("got %v", got)
	}
}

func TestBarsOfOneNameStandSideBySide(t *testing.T) {
	f := sim.Figure{X: sim.Axis{Names: []string{"a", "b"}}, Series: []sim.Series{
		{Name: "one", Mark: sim.MarkBars, X: []float64{0, 1}, Y: []float64{1, 1}},
		{Name: "two", Mark: sim.MarkBars, X: []float64{0, 1}, Y: []float64{1, 1}},
	}}
	d := &drawing{figure: f, looks: looks(f.Series), width: 860, height: 420}
	d.lay()
	last := d.left
	for i := range 4 {
		x, _, width := d.place(i%2, point{float64(i / 2), 1})
		if x-width/2 < last-1e-9 {
			t.Errorf("bar %d begins at %v, before %v", i, x-width/2, last)
		}
		last = x + width/2
	}
	if last > d.right {
		t.Errorf("the last bar ends at %v, after %v", last, d.right)
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for _, test := range []struct {
		least, most float64
		log         bool
		room        int
		want        string
	}{
		{0, 1, false, 5, "0 0.2 0.4 0.6 0.8 1"},
		{0, 1000, false, 4, "0 500 1,000"},
		{-1, 1, false, 4, "−1 −0.5 0 0.5 1"},
		{1, 4, true, 6, "10 100 1,000 10,000"},
		{1, 4, true, 3, "100 10,000"},
		{0, 1, true, 6, "1 2 5 10"},
		{0, 0.5, true, 4, "1 2 3"},
		{-6, -1, true, 6, "10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 0.01 0.1"},
	} {
		s := scale{Axis: sim.Axis{Log: test.log}, least: test.least, most: test.most}
		var got []string
		for _, t := range s.ticks(test.room) {
			if t.label != "" {
				got = append(got, t.label)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("from %v to %v: got %q, want %q", test.least, test.most, strings.Join(got, " "), test.want)
		}
	}
}

func TestAnAxisBeginsAtZeroIfItNearlyDoes(t *testing.T) {
	for _, test := range []struct {
		values      []float64
		part        float64
		least, most float64
	}{
		{[]float64{1, 10}, 0.2, 0, 10},
		{[]float64{3, 10}, 0.2, 3, 10},
		{[]float64{9, 10}, 1, 0, 10},
		{[]float64{-10, -9}, 1, -10, 0},
		{[]float64{-10, 9}, 1, -10, 9},
		{[]float64{0, 0}, 0.5, 0, 1},
		{[]float64{4}, 1, 0, 4},
	} {
		s := span(sim.Axis{}, test.values)
		if s.begin(test.part); s.least != test.least || s.most != test.most {
			t.Errorf("%v: from %v to %v", test.values, s.least, s.most)
		}
	}
}

func TestNothingIsMarkedBetweenWholeNumbers(t *testing.T) {
	s := span(sim.Axis{}, []float64{1, 2, 3})
	for _, tick := range s.ticks(9) {
		if tick.value != math.Trunc(tick.value) {
			t.Errorf("got %s", tick.label)
		}
	}
	s = span(sim.Axis{}, []float64{1, 2.5, 3})
	if n := len(s.ticks(9)); n < 5 {
		t.Errorf("got %d ticks", n)
	}
}

func TestNumbersAreReadable(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 1.5: "1.5", 1.58198: "1.582", -0.25: "−0.25", 999.94: "999.9", 999.96: "1,000", 1e3: "1,000",
		16080.4: "16,080", 1234567: "1,234,567", -1e6: "−1,000,000", 0.00062: "0.00062", 7.8e-5: "7.8×10⁻⁵", 1e-6: "10⁻⁶",
		3e14: "3×10¹⁴", math.Inf(1): "∞", math.Inf(-1): "−∞",
	} {
		if got := Number(v); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
	if got := Number(math.NaN()); got != "–" {
		t.Errorf("got %s", got)
	}
	for n, want := range map[int]string{0: "0", 999: "999", 12000: "12,000", -4321: "−4,321"} {
		if got := Count(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
