package chart

import (
	"math"

	"github.com/selkie-go/selkie/sim"
)

// A scale lays values off along one side of a plot. It counts in steps: of a
// logarithmic axis they are powers of ten, else the values themselves.
type scale struct {
	sim.Axis
	least, most float64 // what the side shows, in steps
	whole       bool    // all values are whole numbers: nothing is between them
	from, to    float64 // where that is in the picture
}

// A tick is a value that is marked on an axis.
type tick struct {
	value float64
	label string // empty for the small ones in between
}

// beyond is larger than anything that is measured. The distance of two values
// below it is still a number.
const beyond = 1e100

// shows reports whether a value has a place on an axis: there is none for what
// is no number, on a logarithmic one none for what is not above zero, and if the
// values have names, none for what has none.
func shows(axis sim.Axis, v float64) bool {
	switch {
	case len(axis.Names) > 0:
		return v > -0.5 && v < float64(len(axis.Names))-0.5
	case axis.Log:
		return v > 1/beyond && v < beyond
	}
	return v > -beyond && v < beyond
}

// Name returns the name of a value of an axis, if it has one.
func Name(axis sim.Axis, v float64) (name string, ok bool) {
	if i := int(v); float64(i) == v && i >= 0 && i < len(axis.Names) {
		return axis.Names[i], true
	}
	return "", false
}

func (s *scale) steps(v float64) float64 {
	if s.Log && len(s.Names) == 0 {
		return math.Log10(v)
	}
	return v
}

func (s *scale) value(steps float64) float64 {
	if s.Log && len(s.Names) == 0 {
		return math.Pow(10, steps)
	}
	return steps
}

// at returns where a value is in the picture.
func (s *scale) at(v float64) float64 {
	return s.from + (s.steps(v)-s.least)/(s.most-s.least)*(s.to-s.from)
}

// span returns an axis on which there is room for some values.
func span(axis sim.Axis, values []float64) *scale {
	s := &scale{Axis: axis, least: math.Inf(1), most: math.Inf(-1), whole: len(values) > 0}
	for _, v := range values {
		if shows(axis, v) {
			s.least = min(s.least, s.steps(v))
			s.most = max(s.most, s.steps(v))
			s.whole = s.whole && v == math.Trunc(v)
		}
	}
	switch {
	case len(axis.Names) > 0:
		s.least, s.most = -0.5, float64(len(axis.Names))-0.5
	case s.least > s.most: // there are none
		s.least, s.most = 0, 1
	}
	return s
}

// begin lets a linear axis begin at zero if the value next to it is less than a
// part of the one farthest from it.
func (s *scale) begin(part float64) {
	switch {
	case s.Log || len(s.Names) > 0:
	case s.least == 0 && s.most == 0:
		s.most = 1 // none of what is counted came
	case s.least > 0 && s.least <= s.most*part:
		s.least = 0
	case s.most < 0 && s.most >= s.least*part:
		s.most = 0
	}
}

// pad leaves some room before the first and after the last value.
func (s *scale) pad(part float64) {
	if len(s.Names) > 0 {
		return
	}
	if s.least == s.most {
		room := 0.5
		if !s.Log && s.least != 0 {
			room = math.Abs(s.least) / 2
		}
		s.least, s.most = s.least-room, s.most+room
		return
	}
	room := (s.most - s.least) * part
	if s.Log || s.least != 0 { // what begins at zero has its room there
		s.least -= room
	}
	if s.Log || s.most != 0 {
		s.most += room
	}
}

// ticks returns what to mark on an axis with room for so many labels.
func (s *scale) ticks(room int) []tick {
	room = max(room, 2)
	switch {
	case len(s.Names) > 0:
		ticks := make([]tick, len(s.Names))
		for i, name := range s.Names {
			ticks[i] = tick{float64(i), name}
		}
		return ticks
	case s.Log && s.most-s.least >= 1:
		return s.decades(room)
	default:
		return s.even(room)
	}
}

// even returns multiples of 1, 2 or 5 times a power of ten.
func (s *scale) even(room int) []tick {
	least, most := s.value(s.least), s.value(s.most)
	step := roundStep((most - least) / float64(room))
	if s.whole {
		step = max(step, 1)
	}
	var ticks []tick
	for i := math.Ceil(least/step - 1e-9); i*step <= most+step*1e-9 && len(ticks) < 100; i++ {
		v := i * step
		ticks = append(ticks, tick{v, Number(v)})
	}
	return ticks
}

// roundStep returns the least of 1, 2 and 5 times a power of ten that is not
// smaller than a step.
func roundStep(step float64) float64 {
	if !(step > 0) || math.IsInf(step, 0) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*unit >= step*(1-1e-9) {
			return factor * unit
		}
	}
	return 10 * unit
}

// decades returns the powers of ten, and small ticks between them; if there
// are few, also twice and five times of them.
func (s *scale) decades(room int) []tick {
	first, last := int(math.Floor(s.least)), int(math.Floor(s.most))
	each := max(1, (last-int(math.Ceil(s.least))+room)/room)
	few := s.most-s.least < 2.2 && room >= 5
	name := Number
	if s.least < -4 { // all small ones alike
		name = power
	}
	var ticks []tick
	for n := first; n <= last; n++ {
		for factor := 1; factor <= 9; factor++ {
			v := float64(factor) * math.Pow(10, float64(n))
			if s.steps(v) < s.least-1e-9 || s.steps(v) > s.most+1e-9 {
				continue
			}
			label := ""
			if factor == 1 && n%each == 0 || few && (factor == 2 || factor == 5) {
				if label = Number(v); v < 0.01 {
					label = name(v)
				}
			}
			if label != "" || each == 1 {
				ticks = append(ticks, tick{v, label})
			}
		}
	}
	return ticks
}
