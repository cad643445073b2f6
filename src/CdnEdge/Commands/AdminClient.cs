using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Nodes;
using CdnEdge.Control;

namespace CdnEdge.Commands;

/// <summary>Calls the admin API of a node.</summary>
internal sealed class AdminClient : IDisposable
{
    private readonly HttpClient _http;

    internal AdminClient(Uri admin, string? token, SocketsHttpHandler handler)
    {
        _http = new HttpClient(handler)
        {
            BaseAddress = admin,
            Timeout = TimeSpan.FromMinutes(6), // longer than the API waits for other PoPs
        };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <exception cref="AdminUnreachableException">There is no answer, or it's none of a node's.</exception>
    internal async Task<AdminReply> SendAsync(HttpMethod method, string path, PurgeBody? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = JsonContent.Create(body, AdminJson.Default.PurgeBody);
        using var response = await AskAsync(request, HttpCompletionOption.ResponseContentRead, cancellation);
        return await ReplyAsync(response, cancellation);
    }

    /// <summary>The server-sent events of a call; or, as the only one, the refusal.</summary>
    /// <exception cref="AdminUnreachableException">There is no answer, it's none of a node's, or it breaks off.</exception>
    internal async IAsyncEnumerable<(string Type, JsonObject Data, AdminReply? Refusal)> StreamAsync(
        string path, byte[] json, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(json) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await AskAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            yield return ("", [], await ReplyAsync(response, cancellation));
            yield break;
        }

        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        await using var events = SseParser.Create(stream, static (_, data) => JsonNode.Parse(data)!.AsObject()).EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
        while (await NextAsync(events, cancellation))
            yield return (events.Current.EventType, events.Current.Data, null);
    }

    private async Task<bool> NextAsync(IAsyncEnumerator<SseItem<JsonObject>> events, CancellationToken cancellation)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && e is HttpRequestException or IOException or JsonException)
        {
            throw new AdminUnreachableException($"{_http.BaseAddress} broke off: {e.Message}", e);
        }
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellation)
    {
        try
        {
            return await _http.SendAsync(request, completion, cancellation);
        }
        catch (HttpRequestException e)
        {
            // Of a certificate that isn't believed the inner one tells more.
            var cause = e.InnerException is AuthenticationException inner ? $"{e.Message} {inner.Message}" : e.Message;
            throw new AdminUnreachableException($"{_http.BaseAddress} can't be reached: {cause}", e);
        }
        catch (TaskCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new AdminUnreachableException($"{_http.BaseAddress} gave no answer in time", e);
        }
    }

    private async Task<AdminReply> ReplyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            return JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellation)) is JsonObject answer
                ? new AdminReply((int)response.StatusCode, answer)
                : throw new AdminUnreachableException($"{_http.BaseAddress} answered {(int)response.StatusCode} with something that is not the admin API's");
        }
        catch (JsonException e)
        {
            throw new AdminUnreachableException($"{_http.BaseAddress} answered with something that is not the admin API's; is it the node's admin address?", e);
        }
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>What a node answered.</summary>
internal sealed record AdminReply(int Status, JsonObject Body)
{
    internal bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Whose fault an error is: the call's, or what it met with.</summary>
    internal int ExitCode => IsSuccess ? Commands.ExitCode.Done : Status is >= 400 and < 500 and not 429 ? Commands.ExitCode.Wrong : Commands.ExitCode.Failed;
}

/// <summary>A node's admin API can't be reached.</summary>
internal sealed class AdminUnreachableException(string message, Exception? cause = null) : Exception(message, cause);
