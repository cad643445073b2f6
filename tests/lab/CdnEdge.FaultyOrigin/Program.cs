using System.Globalization;
using CdnEdge.FaultyOrigin;

const string Usage = "usage: faulty-origin --name NAME [--port N] [--control N] [--service-ms N] [--seed N]";

string? name = null;
var (port, control, service, seed) = (0, 0, 0, 1);
for (var i = 0; i < args.Length; i += 2)
{
    var value = i + 1 < args.Length ? args[i + 1] : "";
    var number = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1;
    switch (args[i])
    {
        case "--name" when value.Length > 0: name = value; break;
        case "--port" when number is >= 0 and <= 65535: port = number; break;
        case "--control" when number is >= 0 and <= 65535: control = number; break;
        case "--service-ms" when number >= 0: service = number; break;
        case "--seed" when number >= 0: seed = number; break;
        default:
            await Console.Error.WriteLineAsync($"{args[i]} {value}: {Usage}");
            return 2;
    }
}

if (name is null)
{
    await Console.Error.WriteLineAsync(Usage);
    return 2;
}

await using var traffic = new TrafficPort(name, port, TimeSpan.FromMilliseconds(service), seed, TimeProvider.System);
await using var app = await ControlPort.StartAsync(traffic, control);
Console.WriteLine($"{name}: traffic http://127.0.0.1:{traffic.Port} control {app.Urls.First()}");

// Whoever started it holds its standard input; when they are gone, so is it.
await Console.OpenStandardInput().CopyToAsync(Stream.Null);
return 0;
