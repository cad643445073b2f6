using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;

namespace CdnEdge.Control;

/// <summary>
/// Asks the node itself for URLs, so that they are in its tiers before the first visitor comes.
/// </summary>
/// <remarks>
/// Over a connection to an address that serves traffic, not by a call into the pipeline: the request meets all that a visitor's
/// does, with the same key, policy and limits, and whatever comes to stand before the cache later.
/// </remarks>
/// <param name="traffic">The addresses that serve traffic.</param>
/// <param name="sites">What is served here.</param>
/// <param name="time">By which requests are given up.</param>
internal sealed class Warmer(Func<IEnumerable<string>> traffic, IServedSites sites, TimeProvider time)
{
    /// <summary>Calls that run at a time; each has a bound of its own on its requests.</summary>
    internal const int MaxRuns = 4;

    /// <summary>Failures that are listed at the end; more are counted.</summary>
    internal const int MaxListed = 1000;

    /// <summary>How long an answer may take, to the end of its body: some have none.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly OwnTraffic _traffic = new(traffic);
    private int _runs;

    /// <summary>Begins a run, to be disposed of; null: too many run already.</summary>
    internal IDisposable? TryBegin()
    {
        if (Interlocked.Increment(ref _runs) <= MaxRuns)
            return new Run(this);
        Interlocked.Decrement(ref _runs);
        return null;
    }

    /// <summary>
    /// Runs it: an event <c>begin</c> with how many requests there will be, <c>progress</c> for each of them, <c>end</c> with the sum.
    /// </summary>
    internal async IAsyncEnumerable<SseItem<string>> RunAsync(WarmOrder order, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var http = _traffic.Client(order.Concurrency);
        var tally = new Tally();
        var urls = order.Urls.ToList();
        if (order.Sitemap is { } sitemap)
            await AddListedAsync(http, sitemap, urls, tally, mayBeIndex: true, cancellation);
        var requests = urls.Distinct().SelectMany(url => order.Requests.Select(fields => (Url: url, Fields: fields!))).ToList();
        tally.Total = requests.Count + tally.Done;
        yield return Event("begin", new WarmBegin(tally.Total), AdminJson.Default.WarmBegin);
        foreach (var failure in tally.Failures.ToList())
            yield return Event("progress", tally.Progress(failure.Url, null, "failed", failure.Detail), AdminJson.Default.WarmProgress);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var done = Channel.CreateBounded<Asked>(order.Concurrency);
        var asking = AskAllAsync(http, requests, order.Concurrency, done.Writer, stop.Token);
        try
        {
            // Counted where they are told, so that the numbers are in order whoever of those at a time was first.
            await foreach (var (url, status, outcome, detail) in done.Reader.ReadAllAsync(cancellation))
                yield return Event("progress", tally.Count(url.OriginalString, status, outcome, detail), AdminJson.Default.WarmProgress);
            await asking;
            yield return Event("end", tally.End(), AdminJson.Default.WarmEnd);
        }
        finally
        {
            // The caller may have gone: nothing goes on without it.
            await stop.CancelAsync();
            await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AskAllAsync(
        HttpClient http, List<(Uri Url, Dictionary<string, string?> Fields)> requests, int concurrency, ChannelWriter<Asked> done, CancellationToken cancellation)
    {
        Exception? failure = null;
        try
        {
            await Parallel.ForEachAsync(
                requests,
                new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation },
                async (request, stop) => await done.WriteAsync(await AskAsync(http, request.Url, request.Fields, stop), stop));
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            done.Complete(failure);
        }
    }

    private async Task<Asked> AskAsync(HttpClient http, Uri url, Dictionary<string, string?> fields, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var request = OwnTraffic.Request(url);
            foreach (var (name, value) in fields)
                request.Headers.TryAddWithoutValidation(name, value);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);

            // To its end: a body that nobody reads may not be stored.
            await response.Content.CopyToAsync(Stream.Null, patience.Token);
            var status = (int)response.StatusCode;
            var cacheStatus = response.Headers.TryGetValues("Cache-Status", out var lines) ? string.Join(", ", lines) : "";
            return new Asked(url, status, OutcomeOf(status, cacheStatus), status >= 400 ? $"{status} {response.ReasonPhrase}" : cacheStatus);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new Asked(url, null, "failed", e is OperationCanceledException ? "no answer in time" : e.Message);
        }
    }

    private static string OutcomeOf(int status, string cacheStatus)
    {
        // This node's member is the last.
        var own = cacheStatus[(cacheStatus.LastIndexOf(',') + 1)..].Split(';', StringSplitOptions.TrimEntries);
        return status >= 400 ? "failed" : own.Contains("hit") ? "hit" : own.Contains("stored") || own.Contains("fwd-status=304") ? "stored" : "not stored";
    }

    private async Task AddListedAsync(HttpClient http, Uri sitemap, List<Uri> urls, Tally tally, bool mayBeIndex, CancellationToken cancellation)
    {
        List<string> listed;
        bool isIndex;
        using var deadline = new CancellationTokenSource(Patience, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var request = OwnTraffic.Request(sitemap);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (!response.IsSuccessStatusCode)
                throw new InvalidDataException($"{(int)response.StatusCode} {response.ReasonPhrase}");
            listed = Sitemap.Read(await ReadAsync(response.Content, patience.Token), out isIndex);
            if (isIndex && !mayBeIndex)
                throw new InvalidDataException("an index within an index, which the protocol doesn't allow");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            tally.Count(sitemap.OriginalString, null, "failed", $"the sitemap: {(e is OperationCanceledException ? "no answer in time" : e.Message)}");
            return;
        }

        foreach (var text in listed)
        {
            if (WarmBody.Read(text, sites, out var mistake) is not { } url)
                tally.Count(text, null, "failed", mistake!);
            else if (isIndex)
                await AddListedAsync(http, url, urls, tally, mayBeIndex: false, cancellation);
            else if (urls.Count < Sitemap.MaxUrls)
                urls.Add(url);
            else
                tally.Count(url.OriginalString, null, "failed", $"beyond the {Sitemap.MaxUrls} URLs of one call");
        }
    }

    private static async Task<MemoryStream> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var body = await content.ReadAsStreamAsync(cancellation);
        var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            if (all.Length + read > Sitemap.MaxBytes)
                throw new InvalidDataException($"larger than {Sitemap.MaxBytes} bytes");
            all.Write(buffer, 0, read);
        }

        all.Position = 0;
        return all;
    }

    private static SseItem<string> Event<T>(string name, T data, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        new(JsonSerializer.Serialize(data, type), name);

    private sealed class Run(Warmer warmer) : IDisposable
    {
        private bool _ended;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _ended, true))
                Interlocked.Decrement(ref warmer._runs);
        }
    }

    /// <summary>What came of a request.</summary>
    private sealed record Asked(Uri Url, int? Status, string Outcome, string Detail);

    private sealed class Tally
    {
        private readonly Dictionary<string, int> _outcomes = [];

        internal List<WarmFailure> Failures { get; } = [];

        internal int Done { get; private set; }

        internal int Total { get; set; }

        internal WarmProgress Count(string url, int? status, string outcome, string detail)
        {
            Done++;
            _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + 1;
            if (outcome == "failed" && Failures.Count < MaxListed)
                Failures.Add(new WarmFailure(url, detail));
            return Progress(url, status, outcome, detail);
        }

        internal WarmProgress Progress(string url, int? status, string outcome, string detail) => new(url, status, outcome, detail, Done, Total);

        internal WarmEnd End() => new(Total, Of("stored"), Of("hit"), Of("not stored"), Of("failed"), Failures);

        private int Of(string outcome) => _outcomes.GetValueOrDefault(outcome);
    }
}

/// <summary>The event <c>begin</c>: so many requests will be made.</summary>
internal sealed record WarmBegin(int Total);

/// <summary>The event <c>progress</c>: a request has ended.</summary>
/// <param name="Url">What was asked for.</param>
/// <param name="Status">The answer's status; null: there was none.</param>
/// <param name="Outcome"><c>stored</c>, <c>hit</c> (it was there already), <c>not stored</c> or <c>failed</c>.</param>
/// <param name="Detail">Cache-Status, or what went wrong.</param>
/// <param name="Done">Requests that have ended.</param>
/// <param name="Total">Requests in all.</param>
internal sealed record WarmProgress(string Url, int? Status, string Outcome, string Detail, int Done, int Total);

/// <summary>The event <c>end</c>: requests in all, by what came of them, and the failed ones (at most <see cref="Warmer.MaxListed"/>).</summary>
internal sealed record WarmEnd(int Total, int Stored, int Hit, int NotStored, int Failed, IReadOnlyList<WarmFailure> Failures);

/// <summary>A URL that failed.</summary>
internal sealed record WarmFailure(string Url, string Detail);
