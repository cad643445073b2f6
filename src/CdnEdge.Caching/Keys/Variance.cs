using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// What tells a stored response from others of its URL: the policy's chosen headers and cookies, and the request fields
/// that Vary names (RFC 9111 §4.1), each normalised. Accept-Encoding and Accept-Language are reduced to what the origin
/// was seen to vary on: a response chosen from a set of codings also answers a request that offers fewer, as long as
/// the chosen one is among them.
/// </summary>
internal sealed class Variance
{
    private static readonly Variance Star = new([], 0, isStar: true);
    private static long _starKeys;

    // The policy's come first, in the plan's order, then Vary's by name.
    private readonly Selector[] _selectors;
    private readonly int _fromPolicy;

    private Variance(Selector[] selectors, int fromPolicy, bool isStar = false)
    {
        _selectors = selectors;
        _fromPolicy = fromPolicy;
        IsStar = isStar;
    }

    /// <summary>No Vary and nothing of the policy's.</summary>
    internal static Variance None { get; } = new([], 0);

    /// <summary>Response had <c>Vary: *</c>: matches nothing.</summary>
    internal bool IsStar { get; }

    /// <summary>What it tells apart, for people: <c>accept-encoding</c>, <c>cookie theme</c>; <c>*</c> for <see cref="IsStar"/>.</summary>
    internal IReadOnlyList<string> Names => IsStar
        ? ["*"]
        : [.. _selectors.Select(static selector => selector.Name is { Kind: SelectorKind.Cookie, Name: var cookie } ? $"cookie {cookie}" : selector.Name.Name.ToLowerInvariant())];

    /// <summary>Managed memory taken, in bytes; 0 for the shared instances.</summary>
    internal int ManagedBytes
    {
        get
        {
            if (_selectors.Length == 0)
                return 0;

            var bytes = 16 + 16 + 24 + _selectors.Length * Unsafe.SizeOf<Selector>();
            foreach (ref readonly var selector in _selectors.AsSpan())
                bytes += selector.ManagedBytes;
            return bytes;
        }
    }

    /// <summary>The variance of a response to a request.</summary>
    internal static Variance Create(CachePolicy policy, IHeaderDictionary requestHeaders, IHeaderDictionary responseHeaders)
    {
        var policyNames = policy.Key.Plan.Selectors;
        var varyNames = VaryField.Parse(responseHeaders.Vary, out var isStar);
        if (isStar)
            return Star;

        // A field that the policy chose already is compared once.
        foreach (var name in policyNames)
            varyNames.Remove(name);
        if (policyNames.Length + varyNames.Count == 0)
            return None;

        var selectors = new Selector[policyNames.Length + varyNames.Count];
        var count = 0;
        foreach (var name in policyNames)
            selectors[count++] = new Selector(name, requestHeaders, responseHeaders);
        foreach (var name in varyNames)
            selectors[count++] = new Selector(name, requestHeaders, responseHeaders);
        return new Variance(selectors, policyNames.Length);
    }

    /// <summary>Whether it's kept for one visitor alone: for his cookies, all of them, or his credentials.</summary>
    internal bool IsOneVisitors => Array.Exists(_selectors, static selector => selector.IsCredential);

    /// <summary>False where every request for the URL gets the same.</summary>
    internal bool Varies => IsStar || _selectors.Length > 0;

    /// <summary>The fields that Vary named, without the policy's own: what the next request's selecting key is made from.</summary>
    internal SelectorName[] VaryNames => _selectors.Length == _fromPolicy ? [] : Array.ConvertAll(_selectors[_fromPolicy..], static selector => selector.Name);

    /// <summary>As bytes, for <see cref="Read"/>: the values as compared, since the request that had them is gone.</summary>
    internal void Write(RecordWriter to)
    {
        to.Byte(IsStar ? (byte)1 : (byte)0);
        to.Int32(_fromPolicy);
        to.Int32(_selectors.Length);
        foreach (ref readonly var selector in _selectors.AsSpan())
            selector.Write(to);
    }

    /// <summary>Null, and <paramref name="from"/> is spoilt, where the bytes are none.</summary>
    internal static Variance? Read(ref RecordReader from)
    {
        var isStar = from.Flag();
        var fromPolicy = from.Int32();
        var count = from.Count(leastBytes: 12);
        if (fromPolicy < 0 || fromPolicy > count || (isStar && count > 0))
            from.Spoil();
        if (!from.IsGood)
            return null;
        if (isStar)
            return Star;
        if (count == 0)
            return None;
        var selectors = new Selector[count];
        for (var i = 0; i < count && from.IsGood; i++)
            selectors[i] = Selector.Read(ref from);
        return from.IsGood ? new Variance(selectors, fromPolicy) : null;
    }

    /// <summary>Whether the stored response may answer this request. Allocates nothing where nothing varies.</summary>
    internal bool Matches(CachePolicy policy, IHeaderDictionary requestHeaders)
    {
        if (IsStar || !IsOf(policy))
            return false;

        foreach (ref readonly var selector in _selectors.AsSpan())
        {
            if (!selector.Matches(requestHeaders))
                return false;
        }

        return true;
    }

    /// <summary>True when a response stored with <paramref name="newer"/> makes one stored with this superfluous (same selecting values, or a subset answered alike).</summary>
    /// <remarks>Where several stored responses match, the newest is used (RFC 9111 §4.1): one that asks less wins always.</remarks>
    internal bool IsReplacedBy(Variance newer)
    {
        if (IsStar)
            return true;
        if (newer.IsStar)
            return false;

        // Both are in order: what is looked for stands behind what was found last, as long as the policy is the same.
        var next = 0;
        foreach (ref readonly var selector in newer._selectors.AsSpan())
        {
            if (!IsCoveredBy(selector, ref next))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Normalised request values under this variance's field names, as one string: requests with equal strings may share
    /// a fill. Empty where nothing varies; under <c>Vary: *</c> never equal to any other.
    /// </summary>
    internal string SelectingKey(CachePolicy policy, IHeaderDictionary requestHeaders)
    {
        return IsStar ? $"* {Interlocked.Increment(ref _starKeys)}" : SelectingKey(policy, VaryNames, requestHeaders);
    }

    /// <summary>As <see cref="SelectingKey(CachePolicy, IHeaderDictionary)"/>, by the names alone (<see cref="VaryNames"/>).</summary>
    internal static string SelectingKey(CachePolicy policy, ReadOnlySpan<SelectorName> varyNames, IHeaderDictionary requestHeaders)
    {
        var policyNames = policy.Key.Plan.Selectors;
        if (policyNames.Length == 0 && varyNames.IsEmpty)
            return "";

        var key = new CharBuffer(stackalloc char[CharBuffer.OnStack]);
        foreach (var name in policyNames)
            Selector.AppendKey(name, requestHeaders, ref key);
        foreach (ref readonly var name in varyNames)
            Selector.AppendKey(name, requestHeaders, ref key);
        var text = key.ToString();
        key.Dispose();
        return text;
    }

    /// <summary>The part of a selecting key that's known before any response: the policy's headers and cookies only.</summary>
    internal static string PolicyKey(CachePolicy policy, IHeaderDictionary requestHeaders) => None.SelectingKey(policy, requestHeaders);

    /// <summary>A reload may have given the policy other headers and cookies: what was stored before is no answer then.</summary>
    private bool IsOf(CachePolicy policy)
    {
        var names = policy.Key.Plan.Selectors;
        if (names.Length != _fromPolicy)
            return false;

        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] != _selectors[i].Name)
                return false;
        }

        return true;
    }

    private bool IsCoveredBy(in Selector newer, ref int next)
    {
        for (var i = 0; i < _selectors.Length; i++)
        {
            ref readonly var older = ref _selectors[(next + i) % _selectors.Length];
            if (older.Name == newer.Name)
            {
                next += i + 1;
                return newer.Covers(older);
            }
        }

        return false;
    }
}
