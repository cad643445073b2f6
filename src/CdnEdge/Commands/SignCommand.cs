using System.Collections;
using System.CommandLine;
using System.Globalization;
using CdnEdge.Configuration;
using CdnEdge.Security;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge sign</c>: makes a signed URL, or a signed cookie, with a site's key.</summary>
internal sealed class SignCommand
{
    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly IDictionary _environment;
    private readonly Argument<string> _url = new("URL") { Description = "The URL that it's for; of its site the configuration has the keys." };

    private readonly Option<string> _config = new("--config")
    {
        Description = "The node's configuration. [CdnEdge__Config]",
        HelpName = "FILE",
    };

    private readonly Option<string> _key = new("--key") { Description = "The id of the key; needed where the site has several.", HelpName = "ID" };

    private readonly Option<string> _expires = new("--expires")
    {
        Description = "For how long it's good: [days.]hours:minutes:seconds.",
        HelpName = "TIME",
        DefaultValueFactory = static _ => "01:00:00",
    };

    private readonly Option<string> _prefix = new("--prefix")
    {
        Description = "Good for every path that begins so, such as /video/; without it, for the URL alone.",
        HelpName = "PATH",
    };

    private readonly Option<bool> _cookie = new("--cookie") { Description = "Print the cookie's Set-Cookie line (takes --prefix) in place of the URL." };

    internal SignCommand(TextWriter output, TextWriter error, IDictionary environment)
    {
        (_output, _error, _environment) = (output, error, environment);
        Command = new Command("sign", "Make a signed URL, or a signed cookie.") { _url, _config, _key, _expires, _prefix, _cookie };
        Command.SetAction((call, _) => SignAsync(call));
    }

    internal Command Command { get; }

    private async Task<int> SignAsync(ParseResult call)
    {
        var source = ConfigurationSource.From(call.GetValue(_config), null, [], _environment);
        var reviewed = await ConfigurationReview.OfAsync(source, source.ReadFile());
        if (!reviewed.IsValid)
        {
            await reviewed.WriteMistakesAsync(_error);
            return ExitCode.Wrong;
        }

        var (text, mistake) = Sign(call, reviewed.Sites);
        if (mistake is not null)
        {
            await _error.WriteLineAsync($"cdnedge: {mistake}");
            return ExitCode.Wrong;
        }

        await _output.WriteLineAsync(text);
        return ExitCode.Done;
    }

    private (string? Text, string? Mistake) Sign(ParseResult call, SiteTable sites)
    {
        var text = call.GetValue(_url)!;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
            return (null, $"'{text}' is not a URL; such as https://www.example.org/video/a.mp4");
        if (sites.Find(url.IdnHost).Tokens is not { } rule)
            return (null, $"no tokens are configured for {url.IdnHost} (CdnEdge:Sites:{url.IdnHost}:Tokens)");
        if (!TimeSpan.TryParseExact(call.GetValue(_expires), "c", CultureInfo.InvariantCulture, out var time) || time <= TimeSpan.Zero)
            return (null, $"--expires: '{call.GetValue(_expires)}' is not a time; [days.]hours:minutes:seconds, such as 01:00:00");
        var prefix = call.GetValue(_prefix);
        if (prefix is not null && !prefix.StartsWith('/'))
            return (null, $"--prefix: '{prefix}' is not the beginning of a path; such as /video/");
        var isCookie = call.GetValue(_cookie);
        if (isCookie && prefix is null)
            return (null, "--cookie: a cookie goes with every request below a path; say which with --prefix");
        if (rule.KeyFor(call.GetValue(_key)) is not { } key)
            return (null, $"--key: {(call.GetValue(_key) is { } id ? $"no key is '{id}'" : "the site has several keys")}; one of {string.Join(", ", rule.KeyIds)}");

        var token = rule.Sign(key, TimeProvider.System.GetUtcNow() + time, url.IdnHost, prefix, TargetOf(url));
        return isCookie
            ? (string.Create(CultureInfo.InvariantCulture, $"Set-Cookie: {rule.Name}={token}; Path={prefix}; Max-Age={(long)time.TotalSeconds}; Secure; HttpOnly; SameSite=Lax"), null)
            : ($"{url.GetLeftPart(UriPartial.Query)}{(url.Query.Length > 0 ? '&' : '?')}{rule.Name}={token}", null);
    }

    /// <summary>As a node reads it.</summary>
    private static string TargetOf(Uri url)
    {
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = url.PathAndQuery;
        context.Request.Path = PathString.FromUriComponent(url);
        context.Request.QueryString = QueryString.FromUriComponent(url);
        return TokenRule.TargetOf(context.Request);
    }
}
