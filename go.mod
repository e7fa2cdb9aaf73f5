module github.com/selkie-go/selkie

go 1.26.0
