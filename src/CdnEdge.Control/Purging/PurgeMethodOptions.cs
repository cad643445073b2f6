using CdnEdge.Upstream.Forwarded;

namespace CdnEdge.Control;

/// <summary>
/// The section <c>CdnEdge:PurgeMethod</c>: the method PURGE on the addresses that serve traffic, for systems that purge that way.
/// Read at start only.
/// </summary>
internal sealed class PurgeMethodOptions
{
    /// <summary>Whether PURGE purges. Otherwise it's forwarded as any method.</summary>
    public bool Enabled { get; set; }

    /// <summary>Whether it takes a token of <see cref="AdminOptions.Tokens"/> with the scope <c>purge</c>.</summary>
    public bool RequireToken { get; set; } = true;

    /// <summary>Addresses and networks from which it may come; none: from everywhere, which takes a token.</summary>
    public IList<string> AllowFrom { get; set; } = [];

    /// <summary>Every mistake, by its path.</summary>
    /// <param name="path">Where the options stand: <c>CdnEdge:PurgeMethod</c>.</param>
    /// <param name="admin">The admin API's options, whose tokens count.</param>
    internal IEnumerable<string> Errors(string path, AdminOptions admin)
    {
        for (var i = 0; i < AllowFrom.Count; i++)
        {
            if (AddressList.MistakeIn(AllowFrom[i]) is { } mistake)
                yield return $"{path}:AllowFrom:{i}: {mistake}";
        }

        if (!Enabled)
            yield break;
        if (RequireToken && !admin.Tokens.Values.Any(static token => token.Scopes.Contains(AdminScope.Purge)))
            yield return $"{path}: no token could be used: CdnEdge:Admin:Tokens has none with the scope purge; make one (cdnedge token new --scope purge), or set {path}:RequireToken to false and name who may in {path}:AllowFrom";
        if (!RequireToken && AllowFrom.Count == 0)
            yield return $"{path}:AllowFrom: missing; without a token, whoever may purge has to be named, such as 10.0.0.0/8";
    }
}
