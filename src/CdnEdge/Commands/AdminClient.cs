using System.Net.Http.Headers;
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
        try
        {
            using var response = await _http.SendAsync(request, cancellation);
            var text = await response.Content.ReadAsStringAsync(cancellation);
            return JsonNode.Parse(text) is JsonObject answer
                ? new AdminReply((int)response.StatusCode, answer)
                : throw new AdminUnreachableException($"{_http.BaseAddress} answered {(int)response.StatusCode} with something that is not the admin API's");
        }
        catch (HttpRequestException e)
        {
            // Of a certificate that isn't believed the inner one tells more.
            var cause = e.InnerException is AuthenticationException inner ? $"{e.Message} {inner.Message}" : e.Message;
            throw new AdminUnreachableException($"{_http.BaseAddress} can't be reached: {cause}", e);
        }
        catch (JsonException e)
        {
            throw new AdminUnreachableException($"{_http.BaseAddress} answered with something that is not the admin API's; is it the node's admin address?", e);
        }
        catch (TaskCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new AdminUnreachableException($"{_http.BaseAddress} gave no answer in time", e);
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
