using System.Buffers;
using System.Globalization;
using CdnEdge.FaultyOrigin;

namespace CdnEdge.Lab.Load;

/// <summary>Asks for objects of the faulty origins and checks every byte.</summary>
internal sealed class CheckingClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>A GET to a node; whatever goes wrong stands in the answer.</summary>
    internal async Task<Answered> AskAsync(Uri node, string target, long number, int size)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, target));
        request.Headers.Host = Topology.Site;
        using var patience = new CancellationTokenSource(Patience);
        HttpResponseMessage? response = null;
        string? error;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            error = await CheckAsync(response, number, size, patience.Token);
        }
        catch (OperationCanceledException)
        {
            error = $"nothing more within {Patience.TotalSeconds:0} s";
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            error = (exception.InnerException ?? exception).Message;
        }

        using (response)
        {
            return new Answered(
                (int?)response?.StatusCode ?? 0,
                Field(response, "X-Origin"),
                error,
                Field(response, "Cache-Status"),
                int.TryParse(Field(response, "Age"), NumberStyles.None, CultureInfo.InvariantCulture, out var age) ? age : null,
                Field(response, "Retry-After") is not null && Field(response, "Proxy-Status") is not null);
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<string?> CheckAsync(HttpResponseMessage response, long number, int size, CancellationToken patience)
    {
        if ((int)response.StatusCode != 200)
            return $"status {(int)response.StatusCode}{(Field(response, "Proxy-Status") is { } status ? $" ({status})" : "")}";
        await using var body = await response.Content.ReadAsStreamAsync(patience);
        var piece = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var offset = 0L;
            while (await body.ReadAsync(piece, patience) is > 0 and var count)
            {
                if (!Content.IsAt(piece.AsSpan(0, count), number, 0, offset))
                    return $"other bytes than the origin's after {offset}";
                offset += count;
            }

            return offset == size ? null : $"{offset} bytes of {size}";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static string? Field(HttpResponseMessage? response, string name) =>
        response is not null && response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
