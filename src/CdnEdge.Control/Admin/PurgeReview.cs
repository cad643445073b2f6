using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>Looks a whole purge through before anything of it is done.</summary>
internal static class PurgeReview
{
    /// <param name="body">What was asked for.</param>
    /// <param name="sites">What is served here.</param>
    /// <param name="request">What is to be purged, spelt as the bus has it; null if anything is wrong.</param>
    internal static List<AdminProblemItem> Errors(PurgeBody body, IServedSites sites, out PurgeRequest? request)
    {
        request = null;
        var count = (body.Urls?.Count ?? 0) + (body.Tags?.Count ?? 0) + (body.Prefixes?.Count ?? 0) + (body.Sites?.Count ?? 0);
        if (count > PurgeBody.MaxItems)
            return [new("", $"{count} items; at most {PurgeBody.MaxItems} a call")];
        if (count == 0 && !body.Everything)
            return [new("", "nothing to purge; give urls, tags, prefixes, sites, or everything: true")];
        if (count > 0 && body.Everything)
            return [new("/everything", "everything takes all that is named beside it; leave out one of them")];

        var errors = new List<AdminProblemItem>();
        var read = new PurgeRequest
        {
            Urls = ReadAll("urls", body.Urls, errors, text => ReadUrl(text, sites)),
            Tags = ReadAll("tags", body.Tags, errors, ReadTag),
            Prefixes = ReadAll("prefixes", body.Prefixes, errors, text => ReadPrefix(text, sites)),
            Sites = ReadAll("sites", body.Sites, errors, text => ReadSite(text, sites)),
            Everything = body.Everything,
            Soft = body.Soft,
        };
        if (errors.Count == 0)
            request = read;
        return errors;
    }

    private static List<string> ReadAll(string member, IReadOnlyList<string?>? items, List<AdminProblemItem> errors, Func<string, (string? Value, string? Mistake)> read)
    {
        var values = new List<string>();
        for (var i = 0; i < items?.Count; i++)
        {
            var (value, mistake) = items[i] is { } item ? read(item) : (null, "null; a string belongs here");
            if (value is not null)
                values.Add(value);
            else
                errors.Add(new($"/{member}/{i}", mistake!));
        }

        return values;
    }

    private static (string? Value, string? Mistake) ReadUrl(string text, IServedSites sites) =>
        !PurgeUrl.TryRead(text, out var url, out var mistake) ? (null, mistake)
        : !sites.Serves(new HostString(url.Authority)) ? (null, $"no site of the host {url.Authority} here")
        : (url.OriginalString, null);

    private static (string? Value, string? Mistake) ReadPrefix(string text, IServedSites sites) =>
        text.Contains('?', StringComparison.Ordinal) ? (null, "has a query; a prefix is a path and all below it, whatever the queries")
        : ReadUrl(text, sites);

    private static (string? Value, string? Mistake) ReadSite(string text, IServedSites sites) =>
        !PurgeUrl.TryReadHost(text, out var host, out var mistake) ? (null, mistake)
        : !sites.Serves(new HostString(host)) ? (null, $"no site of the host {host} here")
        : (host, null);

    // A tag may hold anything that a field value can (RFC 9110 §5.5) but at its ends, where blanks are cut off.
    private static (string? Value, string? Mistake) ReadTag(string text) => text switch
    {
        "" => (null, "an empty tag"),
        { Length: > SurrogateTags.MaxLength } => (null, $"longer than {SurrogateTags.MaxLength} characters, which no tag is"),
        _ when text.Any(char.IsControl) => (null, "has a control character, which no tag can have"),
        [' ', ..] or [.., ' '] => (null, "has a blank at its end, which no tag has"),
        _ when text.Any(char.IsSurrogate) && !IsWellFormed(text) => (null, "half a surrogate pair; not text"),
        _ => (text, null),
    };

    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
                return false;
        }

        return true;
    }
}
