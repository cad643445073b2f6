vcl 4.1;

# The builtin logic, one backend. side-by-side fills in what stands in double braces.
backend origin {
    .host = "127.0.0.1";
    .port = "{{originPort}}";
    .max_connections = 1000;
}
