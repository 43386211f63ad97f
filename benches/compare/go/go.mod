module spacetime-py/benches/compare/go

go 1.22
