package chart

import (
	"math"
	"strconv"
	"strings"
)

// Number returns a value as people read it: four significant digits, thousands
// set apart, and powers of ten for what is very small or large.
func Number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 0):
		return sign(v) + "∞"
	case v == 0:
		return "0"
	case size < 1e-4 || size >= 1e12:
		return power(v)
	case size >= 999.95:
		return sign(v) + grouped(strconv.FormatFloat(math.Round(size), 'f', 0, 64))
	default:
		return sign(v) + strconv.FormatFloat(size, 'g', 4, 64)
	}
}

// Count returns a number of things as people read it.
func Count(n int) string {
	if n < 0 {
		return "−" + Count(-n)
	}
	return grouped(strconv.Itoa(n))
}

// sign returns the minus of a number, which is as wide as a plus.
func sign(v float64) string {
	if v < 0 {
		return "−"
	}
	return ""
}

// grouped sets thousands apart.
func grouped(digits string) string {
	var b strings.Builder
	for i, d := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

var superscript = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

// power returns a value as a factor and a power of ten.
func power(v float64) string {
	factor, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'e', 2, 64), "e")
	n, _ := strconv.Atoi(exponent)
	raised := "10" + superscript.Replace(strconv.Itoa(n))
	factor = strings.TrimSuffix(strings.TrimRight(factor, "0"), ".")
	if factor == "1" {
		return sign(v) + raised
	}
	return sign(v) + factor + "×" + raised
}
