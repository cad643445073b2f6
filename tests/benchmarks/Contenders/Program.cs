using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.Contenders;

if (args is ["kestrel", var kestrelPort, var bodies])
    await BareKestrel.RunAsync(Port(kestrelPort), bodies, null);
else if (args is ["kestrel", var tlsPort, var tlsBodies, var certificate, var key])
    await BareKestrel.RunAsync(Port(tlsPort), tlsBodies, X509Certificate2.CreateFromPemFile(certificate, key));
else if (args is ["yarp", var yarpPort, var origin])
    await BareYarp.RunAsync(LoopbackUrl(yarpPort), origin);
else
{
    await Console.Error.WriteLineAsync("usage: contenders kestrel PORT BODIES-DIRECTORY [CERTIFICATE KEY] | yarp PORT ORIGIN-URL");
    return 2;
}

return 0;

static int Port(string port) => int.Parse(port, CultureInfo.InvariantCulture);

static string LoopbackUrl(string port) => $"http://127.0.0.1:{port}";
