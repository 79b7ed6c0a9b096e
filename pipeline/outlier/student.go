package outlier

import "math"

// student is the x that |t| of Student's distribution with n degrees of freedom stays below with probability p
// (Hill 1970, Algorithm 396); 0 for n below 1.
func student(p, n float64) float64 {
	q := 1 - p
	switch {
	case n < 1:
		return 0
	case n < 2:
		return 1 / math.Tan(q*math.Pi/2)
	case n == 2:
		return math.Sqrt(2/(q*(2-q)) - 2)
	}
	a := 1 / (n - 0.5)
	b := 48 / (a * a)
	c := ((20700*a/b-98)*a-16)*a + 96.36
	d := ((94.5/(b+c)-3)/b + 1) * math.Sqrt(a*math.Pi/2) * n
	y := math.Pow(d*q, 2/n)
	if y <= 0.05+a {
		y = ((1/(((n+6)/(n*y)-0.089*d-0.822)*(n+2)*3)+0.5/(n+4))*y-1)*(n+1)/(n+2) + 1/y
		return math.Sqrt(n * y)
	}
	x := -math.Sqrt2 * math.Erfinv(p)
	y = x * x
	if n < 5 {
		c += 0.3 * (n - 4.5) * (x + 0.6)
	}
	c = (((0.05*d*x-5)*x-7)*x-2)*x + b + c
	y = (((((0.4*y+6.3)*y+36)*y+94.5)/c-y-3)/b + 1) * x
	return math.Sqrt(n * math.Expm1(a*y*y))
}
