using System.Buffers;

namespace CdnEdge.Caching;

/// <summary>Tokens (RFC 9110 §5.6.2): names of fields, cookies, directives, methods.</summary>
internal static class Token
{
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    internal static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenChars);
}
