using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge stats</c>: what the node's cache does; <c>--watch</c>: every second anew.</summary>
internal sealed class StatsCommand
{
    private readonly AdminCall _admin;
    private readonly Option<bool> _watch = new("--watch") { Description = "Again every second, until stopped." };

    internal StatsCommand(AdminCall admin)
    {
        _admin = admin;
        Command = new Command("stats", "Requests by how they were answered, the hit ratio, memory, the upstreams.") { _watch };
        admin.AddOptions(Command);
        Command.SetAction(RunAsync);
    }

    internal Command Command { get; }

    private Task<int> RunAsync(ParseResult call, CancellationToken stop) => _admin.RunAsync(call, async client =>
    {
        if (!call.GetValue(_watch))
            return await _admin.ShowAsync(call, await GetAsync(client, stop), static (console, answer) => console.Write(Table(answer, null)));
        try
        {
            return await WatchAsync(call, client, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Done; // Ctrl+C is how watching ends
        }
    });

    private async Task<int> WatchAsync(ParseResult call, AdminClient client, CancellationToken stop)
    {
        var console = _admin.Console();
        var isLive = console.Profile.Out.IsTerminal && !_admin.WantsJson(call);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        JsonObject? before = null;
        do
        {
            var reply = await GetAsync(client, stop);
            if (isLive && reply.IsSuccess)
                console.Clear();

            // For scripts: one line a second.
            if (_admin.WantsJson(call) && reply.IsSuccess)
                await _admin.Output.WriteLineAsync(reply.Body.ToJsonString());
            else if (await _admin.ShowAsync(call, reply, (shown, answer) => shown.Write(Table(answer, before))) is not ExitCode.Done and var code)
                return code;
            before = reply.Body;
        }
        while (await timer.WaitForNextTickAsync(stop));
        return ExitCode.Done;
    }

    private static Task<AdminReply> GetAsync(AdminClient client, CancellationToken stop) => client.SendAsync(HttpMethod.Get, "/stats", null, stop);

    private static Table Table(JsonObject stats, JsonObject? before)
    {
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "").Title(Markup.Escape($"{stats["name"]} {stats["version"]}"));
        table.Columns[1].RightAligned();
        Row("up for", TimeSpan.FromSeconds((double?)stats["uptimeSeconds"] ?? 0).ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture));
        Row("draining", (bool?)stats["draining"] == true ? "yes" : "no");
        Row("requests", $"{stats["requestsTotal"]}{Rate("requestsTotal")}");
        foreach (var (outcome, count) in stats["requests"] as JsonObject ?? [])
            Row($"  {outcome}", $"{count}");
        Row("hit ratio", (double?)stats["hitRatio"] is { } ratio ? ratio.ToString("P2", CultureInfo.InvariantCulture) : "none yet");
        var memory = stats["memory"];
        Row("objects in memory", $"{memory?["objects"]}");
        Row("memory used", $"{Mebibytes(memory?["usedBytes"])} of {Mebibytes(memory?["maxBytes"])} MiB");
        Row("evictions", $"{memory?["evictions"]}");
        if (stats["purge"] is JsonObject purge)
            AddPurge(purge);
        foreach (var cluster in stats["upstreams"] as JsonArray ?? [])
            AddUpstream(cluster!);
        return table;

        void AddUpstream(JsonNode cluster)
        {
            if (cluster["downSince"] is { } since)
                Row($"{cluster["cluster"]}", $"nobody answers, since {since}");
            foreach (var destination in cluster["destinations"] as JsonArray ?? [])
            {
                var reason = destination?["reason"] is { } said ? $": {said}" : "";
                Row($"{cluster["cluster"]}/{destination?["destination"]}", $"{destination?["condition"]}{reason}");
            }
        }

        void AddPurge(JsonObject purge)
        {
            Row("PoP, node", $"{purge["pop"]}, {purge["node"]}");
            Row("log of purges", (bool?)purge["available"] != true ? "can't be used" : (bool?)purge["caughtUp"] == true ? $"read up to {purge["position"]}" : "being read");
            foreach (var peer in purge["peers"] as JsonArray ?? [])
                Row($"  {peer?["name"]}", peer?["error"] is { } error ? $"{error}" : $"{peer?["unacknowledged"]} to be acknowledged");
        }

        void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(value));

        string Rate(string name) => before is null
            ? ""
            : $" ({((double?)stats[name] - (double?)before[name]) / Math.Max(0.1, ((double?)stats["uptimeSeconds"] - (double?)before["uptimeSeconds"]) ?? 1):0}/s)";
    }

    private static string Mebibytes(JsonNode? bytes) => (((double?)bytes ?? 0) / (1024 * 1024)).ToString("0.0", CultureInfo.InvariantCulture);
}
