using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Security;

/// <summary>
/// Lets an ACME client answer for the sites of this node (HTTP-01, RFC 8555 §8.3): asks it, or looks into its folder, for what stands under
/// <c>/.well-known/acme-challenge/</c>. What it doesn't know goes on to the site, which may have a client of its own.
/// </summary>
internal sealed partial class AcmeChallenges : IDisposable
{
    private const string Prefix = "/.well-known/acme-challenge/";

    /// <summary>A key authorization is a token, a dot and a thumbprint: some ninety octets.</summary>
    private const int MaxBytes = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly string? _folder;
    private readonly HttpClient? _client;
    private readonly ILogger _log;
    private bool _isSilent;

    /// <param name="options">Without mistakes (<see cref="AcmeOptions.Errors"/>).</param>
    /// <param name="log">Where it's told that the client doesn't answer.</param>
    internal AcmeChallenges(AcmeOptions options, ILogger log)
    {
        (_folder, _log) = (options.Folder, log);
        if (options.Forward is { } url)
        {
            var handler = new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ConnectTimeout = Patience };
            _client = new HttpClient(handler) { BaseAddress = url, Timeout = Patience, MaxResponseContentBufferSize = MaxBytes };
        }
    }

    public void Dispose() => _client?.Dispose();

    /// <summary>The token that a request asks for; null: it isn't one for a challenge.</summary>
    internal static string? TokenOf(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && request.Path.Value is { } path && path.StartsWith(Prefix, StringComparison.Ordinal)
        && path[Prefix.Length..] is var token && IsToken(token)
            ? token
            : null;

    internal async Task AnswerAsync(HttpContext context, string token, RequestDelegate next)
    {
        if (await FindAsync(context, token) is not { } answer)
        {
            await next(context);
            return;
        }

        var response = context.Response;
        response.ContentType = "application/octet-stream";
        response.Headers.CacheControl = "no-store";
        response.ContentLength = answer.Length;
        if (HttpMethods.IsGet(context.Request.Method))
            await response.Body.WriteAsync(answer, context.RequestAborted);
    }

    private async Task<byte[]?> FindAsync(HttpContext context, string token)
    {
        try
        {
            var answer = _folder is not null ? await ReadAsync(_folder, token, context.RequestAborted) : await AskAsync(context.Request, token, context.RequestAborted);
            _isSilent = false;
            return answer;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException
            || (e is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            // Once, until it answers again: the path is open to everybody.
            if (!_isSilent)
                Log.Silent(_log, _folder ?? _client!.BaseAddress!.ToString(), e.Message);
            _isSilent = true;
            return null;
        }
    }

    private static async Task<byte[]?> ReadAsync(string folder, string token, CancellationToken aborted)
    {
        var file = Path.Combine(folder, Prefix[1..], token);
        return File.Exists(file) && new FileInfo(file).Length <= MaxBytes ? await File.ReadAllBytesAsync(file, aborted) : null;
    }

    private async Task<byte[]?> AskAsync(HttpRequest request, string token, CancellationToken aborted)
    {
        // With the visitor's Host, which some clients tell their challenges apart by; and nothing else of the visitor's.
        using var question = new HttpRequestMessage(HttpMethod.Get, Prefix + token);
        question.Headers.Host = request.Host.Value;
        using var answer = await _client!.SendAsync(question, aborted);
        return answer.StatusCode == HttpStatusCode.OK ? await answer.Content.ReadAsByteArrayAsync(aborted) : null;
    }

    // RFC 8555 §8.3: base64url. So no path leads out of the folder, nor to another of the client's.
    private static bool IsToken(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                return false;
        }

        return text.Length is > 0 and <= 256;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The place of ACME's challenges, {Place}, can't be asked ({Reason}): the sites are asked instead", EventName = "AcmeSilent")]
        internal static partial void Silent(ILogger logger, string place, string reason);
    }
}
