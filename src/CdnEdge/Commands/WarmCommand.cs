using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdnEdge.Control;
using Spectre.Console;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge warm</c>: has a node fetch URLs, or those of a sitemap, before visitors ask for them.</summary>
internal sealed class WarmCommand
{
    private readonly AdminCall _admin;
    private readonly Argument<string[]> _urls = new("URL") { Description = "URLs to fetch.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string> _sitemap = new("--sitemap") { Description = "A sitemap of a site that the node serves, or an index of sitemaps.", HelpName = "URL" };
    private readonly Option<string> _file = new("--file") { Description = "A file of URLs, one a line; - for standard input.", HelpName = "F" };
    private readonly Option<int?> _concurrency = new("--concurrency") { Description = $"Requests at a time, 1 to {WarmBody.MaxConcurrency}; {WarmBody.DefaultConcurrency} by default.", HelpName = "N" };
    private readonly Option<string[]> _encodings = new("--accept-encoding")
    {
        Description = "Fetch the variant for this Accept-Encoding, such as br or identity; may be repeated. Left out: the one that browsers ask for.",
        HelpName = "CODINGS",
    };

    internal WarmCommand(AdminCall admin)
    {
        _admin = admin;
        Command = new Command("warm", "Fetch URLs, or those of a sitemap, into a node's cache.") { _urls, _sitemap, _file, _concurrency, _encodings };
        admin.AddOptions(Command);
        Command.SetAction(RunAsync);
    }

    internal Command Command { get; }

    private Task<int> RunAsync(ParseResult call, CancellationToken stop) => _admin.RunAsync(call, async client =>
    {
        var urls = (call.GetValue(_urls) ?? []).ToList();
        if (call.GetValue(_file) is { } file && !await TryReadAsync(file, urls, stop))
            return ExitCode.Wrong;
        if (urls.Count == 0 && call.GetValue(_sitemap) is null)
        {
            await _admin.WriteErrorAsync("warm: nothing to warm; give URLs, --sitemap or --file");
            return ExitCode.Wrong;
        }

        var sum = new WarmSum();
        var console = _admin.Console();
        var code = console.Profile.Out.IsTerminal && !_admin.WantsJson(call)
            ? await console.Progress().StartAsync(async progress =>
            {
                var bar = progress.AddTask("warming", maxValue: Math.Max(urls.Count, 1));
                return await WarmAllAsync(call, client, urls, sum, done => (bar.Value, bar.MaxValue) = (done.Done, done.Total), stop);
            })
            : await WarmAllAsync(call, client, urls, sum, static _ => { }, stop);
        if (code != ExitCode.Done && sum.IsEmpty)
            return code;

        // What was done before it broke off is done.
        if (_admin.WantsJson(call))
            await _admin.Output.WriteLineAsync(sum.ToJson().ToJsonString());
        else
            Show(console, sum);
        return code != ExitCode.Done ? code : sum.Failed == 0 ? ExitCode.Done : ExitCode.Failed;
    });

    // The node takes a thousand URLs a call.
    private async Task<int> WarmAllAsync(ParseResult call, AdminClient client, List<string> urls, WarmSum sum, Action<(int Done, int Total)> report, CancellationToken stop)
    {
        var encodings = call.GetValue(_encodings) is { Length: > 0 } given
            ? given.Select(static codings => (Dictionary<string, string?>?)new Dictionary<string, string?> { ["Accept-Encoding"] = codings }).ToList()
            : null;
        var planned = urls.Count * (encodings?.Count ?? 1);
        var batches = urls.Chunk(WarmBody.MaxUrls).ToList();
        if (batches.Count == 0)
            batches.Add([]);
        for (var i = 0; i < batches.Count; i++)
        {
            var body = new WarmBody
            {
                Urls = batches[i].Length == 0 ? null : batches[i],
                Sitemap = i == 0 ? call.GetValue(_sitemap) : null,
                Requests = encodings,
                Concurrency = call.GetValue(_concurrency),
            };
            var before = sum.Total;
            var ended = false;
            await using var events = client.StreamAsync("/warm", JsonSerializer.SerializeToUtf8Bytes(body, AdminJson.Default.WarmBody), stop).GetAsyncEnumerator(stop);
            while (await events.MoveNextAsync())
            {
                var (type, data, refusal) = events.Current;
                if (refusal is not null)
                    return await RefuseAsync(call, refusal, i * WarmBody.MaxUrls, sum);
                if (type is "begin" or "progress")
                {
                    report((before + ((int?)data["done"] ?? 0), Math.Max(before + (int)data["total"]!, planned)));
                    continue;
                }

                sum.Add(data);
                ended = true;
            }

            if (!ended)
            {
                await _admin.WriteErrorAsync("warm: the node broke off before it was done");
                return ExitCode.Failed;
            }
        }

        return ExitCode.Done;
    }

    /// <param name="call">The call.</param>
    /// <param name="refusal">The node's, of a batch.</param>
    /// <param name="first">The batch's first URL, among all.</param>
    /// <param name="sum">What came of the batches before.</param>
    private Task<int> RefuseAsync(ParseResult call, AdminReply refusal, int first, WarmSum sum)
    {
        foreach (var item in refusal.Body["errors"] as JsonArray ?? [])
        {
            const string urls = "/urls/";
            if (item?["pointer"]?.ToString() is { } pointer && pointer.StartsWith(urls, StringComparison.Ordinal) && int.TryParse(pointer[urls.Length..], out var index))
                item["pointer"] = $"{urls}{first + index}";
        }

        if (!sum.IsEmpty)
            sum.Refused = refusal.Body;
        return _admin.ShowAsync(call, refusal, static (_, _) => { }, asJson: sum.IsEmpty);
    }

    private async Task<bool> TryReadAsync(string file, List<string> urls, CancellationToken stop)
    {
        try
        {
            using var lines = file == "-" ? Console.In : new StreamReader(file);
            while (await lines.ReadLineAsync(stop) is { } line)
            {
                if (line.Trim() is { Length: > 0 } url && !url.StartsWith('#'))
                    urls.Add(url);
            }

            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await _admin.WriteErrorAsync($"warm: --file: {e.Message}");
            return false;
        }
    }

    private static void Show(IAnsiConsole console, WarmSum sum)
    {
        foreach (var failure in sum.Failures)
            console.WriteLine($"failed: {failure["url"]}: {failure["detail"]}");
        if (sum.Failed > sum.Failures.Count)
            console.WriteLine($"and {sum.Failed - sum.Failures.Count} more");
        console.WriteLine($"{sum.Total} requests: {sum.Stored} stored, {sum.Hit} there already, {sum.NotStored} not to be stored, {sum.Failed} failed");
    }

    /// <summary>What several calls came to.</summary>
    private sealed class WarmSum
    {
        internal int Total { get; private set; }

        internal bool IsEmpty => Total == 0;

        /// <summary>Why it didn't go on, as problem details.</summary>
        internal JsonObject? Refused { get; set; }

        internal int Stored { get; private set; }

        internal int Hit { get; private set; }

        internal int NotStored { get; private set; }

        internal int Failed { get; private set; }

        internal List<JsonNode> Failures { get; } = [];

        internal void Add(JsonObject end)
        {
            Total += (int)end["total"]!;
            Stored += (int)end["stored"]!;
            Hit += (int)end["hit"]!;
            NotStored += (int)end["notStored"]!;
            Failed += (int)end["failed"]!;
            Failures.AddRange(((JsonArray)end["failures"]!).Select(static failure => failure!.DeepClone()));
        }

        internal JsonObject ToJson()
        {
            var json = new JsonObject
            {
                ["total"] = Total,
                ["stored"] = Stored,
                ["hit"] = Hit,
                ["notStored"] = NotStored,
                ["failed"] = Failed,
                ["failures"] = new JsonArray([.. Failures]),
            };
            if (Refused is not null)
                json["refused"] = Refused.DeepClone();
            return json;
        }
    }
}
