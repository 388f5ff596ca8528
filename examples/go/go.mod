module mediagen.example/server

go 1.19
