using CdnEdge.Contenders;

if (args is ["kestrel", var kestrelPort, var bodies])
    await BareKestrel.RunAsync(LoopbackUrl(kestrelPort), bodies);
else if (args is ["yarp", var yarpPort, var origin])
    await BareYarp.RunAsync(LoopbackUrl(yarpPort), origin);
else
{
    await Console.Error.WriteLineAsync("usage: contenders kestrel PORT BODIES-DIRECTORY | yarp PORT ORIGIN-URL");
    return 2;
}

return 0;

static string LoopbackUrl(string port) => $"http://127.0.0.1:{port}";
