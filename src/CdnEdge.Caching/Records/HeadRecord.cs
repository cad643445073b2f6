using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// A stored head as bytes, and back: for tiers that outlive or are shared by processes. The version stands with whoever
/// keeps the bytes; a change here is a change of that.
/// </summary>
/// <remarks>
/// Kept as they are: what came of the policy and of a request that nobody has any more (freshness, variance, directives, which
/// may be a targeted field's that isn't stored, tags, windows). Worked out anew: validators and date, which
/// follow from the stored fields and the time of arrival alone, and so come out as they were.
/// </remarks>
internal static class HeadRecord
{
    /// <summary>Ticks; as an age it leaves room to add any time of the calendar.</summary>
    private const long MaxTicks = 1L << 62;

    /// <summary>Fields, and lines of one: a head with more is read as none, and so fetched again by others.</summary>
    internal const int MaxFields = 10_000;

    internal static void Write(StoredHead head, RecordWriter to)
    {
        to.Int32(head.Status);
        WriteFields(head.Fields, to);
        WriteFields(head.Withheld, to);
        to.Int64(head.Freshness.Lifetime.Ticks);
        to.Byte((byte)head.Freshness.Source);
        to.Int64(head.Freshness.InitialAge.Ticks);
        to.Int64(head.Freshness.ResponseTime.UtcTicks);
        to.Int64(head.Freshness.AskedBefore.Ticks);
        head.Variance.Write(to);
        WriteDirectives(head.Directives, to);
        to.Texts(head.Tags.Tags);
        to.Texts(head.Tags.Groups);
        to.Int64(head.StaleWhileRevalidate.Ticks);
        to.Int64(head.StaleIfError.Ticks);
        to.Int64(head.Grace.Ticks);
    }

    /// <summary>Null, and <paramref name="from"/> is spoilt, where the bytes are no head.</summary>
    internal static StoredHead? Read(ref RecordReader from)
    {
        var status = from.Int32();
        if (!CacheableStatus.IsEverStored(status))
            from.Spoil();
        var fields = ReadFields(ref from);
        var withheld = ReadFields(ref from);
        var freshness = ReadFreshness(ref from);
        var variance = Variance.Read(ref from);
        var directives = ReadDirectives(ref from);
        var tags = SurrogateTags.Of(from.Texts(SurrogateTags.MaxCount), from.Texts(CacheGroups.MaxCount));
        var staleWhileRevalidate = TimeSpan.FromTicks(from.Within(MaxTicks));
        var staleIfError = TimeSpan.FromTicks(from.Within(MaxTicks));
        var grace = TimeSpan.FromTicks(from.Within(MaxTicks));
        return from.IsGood
            ? StoredHead.Restore(status, fields, withheld, variance!, tags, directives, freshness, staleWhileRevalidate, staleIfError, grace)
            : null;
    }

    private static void WriteFields(HeaderField[] fields, RecordWriter to)
    {
        to.Int32(fields.Length);
        foreach (var field in fields)
        {
            to.Text(field.Name);
            to.Texts(field.Value.ToArray()!);
        }
    }

    private static HeaderField[] ReadFields(ref RecordReader from)
    {
        var count = from.Count(leastBytes: 8);
        var fields = new HeaderField[Math.Min(count, MaxFields)];
        if (count != fields.Length)
            from.Spoil();
        for (var i = 0; i < fields.Length && from.IsGood; i++)
        {
            var name = from.Text();
            var lines = from.Texts(MaxFields);
            // What can't be sent must not be found out while it's being sent.
            if (!Token.IsToken(name) || lines.Length == 0 || Array.Exists(lines, static line => line.AsSpan().ContainsAny('\r', '\n', '\0')))
                from.Spoil();
            fields[i] = new HeaderField(WellKnownFields.Intern(name), StoredFields.Share(name, lines.Length == 1 ? lines[0] : new StringValues(lines)));
        }

        return fields;
    }

    private static Freshness ReadFreshness(ref RecordReader from)
    {
        var lifetime = TimeSpan.FromTicks(from.Within(MaxTicks));
        var source = (FreshnessSource)from.Byte();
        if (!Enum.IsDefined(source))
            from.Spoil();
        var age = TimeSpan.FromTicks(from.Within(MaxTicks));
        var arrival = new DateTimeOffset(from.Within(DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
        return new Freshness(lifetime, source, age, arrival) { AskedBefore = TimeSpan.FromTicks(from.Within(MaxTicks)) };
    }

    private static void WriteDirectives(ResponseDirectives directives, RecordWriter to)
    {
        to.OptionalText(directives.TargetedField);
        ReadOnlySpan<bool> flags =
        [
            directives.NoStore, directives.NoCache, directives.Private, directives.Public, directives.MustRevalidate,
            directives.ProxyRevalidate, directives.MustUnderstand, directives.NoTransform,
        ];
        byte bits = 0;
        for (var i = 0; i < flags.Length; i++)
            bits |= (byte)(flags[i] ? 1 << i : 0);
        to.Byte(bits);
        to.Texts(directives.NoCacheFields);
        to.Texts(directives.PrivateFields);
        to.Optional(directives.MaxAge);
        to.Optional(directives.SMaxAge);
        to.Optional(directives.StaleWhileRevalidate);
        to.Optional(directives.StaleIfError);
    }

    private static ResponseDirectives ReadDirectives(ref RecordReader from)
    {
        var targetedField = from.OptionalText();
        var bits = from.Byte();
        return new ResponseDirectives
        {
            TargetedField = targetedField is null ? null : WellKnownFields.Intern(targetedField),
            NoStore = (bits & 1) != 0,
            NoCache = (bits & 2) != 0,
            Private = (bits & 4) != 0,
            Public = (bits & 8) != 0,
            MustRevalidate = (bits & 16) != 0,
            ProxyRevalidate = (bits & 32) != 0,
            MustUnderstand = (bits & 64) != 0,
            NoTransform = (bits & 128) != 0,
            NoCacheFields = from.Texts(MaxFields),
            PrivateFields = from.Texts(MaxFields),
            MaxAge = from.Optional(),
            SMaxAge = from.Optional(),
            StaleWhileRevalidate = from.Optional(),
            StaleIfError = from.Optional(),
        };
    }
}
