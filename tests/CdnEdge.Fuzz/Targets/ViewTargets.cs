using System.Text;
using System.Text.Json;
using CdnEdge.Caching;
using CdnEdge.Control;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Storage;
using StackExchange.Redis;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What the admin API makes of what it's shown, and the log of purges that stands in Redis.</summary>
internal static class ViewTargets
{
    private const string Marker = "the-secret-itself";

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("configuration-view", Configuration)
        {
            Words = ["CdnEdge:", "ReverseProxy:", "RequestHeader", "ResponseHeader", "QueryValueParameter", "Set", "Append", ":", "=", "\n", "auth", "http://u:p@a/", "Redis:Keys:k1", "Peering:Key", "Password", "://", "@", "Transforms:0:"],
            BytesPerByte = 400,
            GrowsLinearly = false,
        },
        new("admin-problem", Problem)
        {
            Words = ["{", "}", "[", "]", ":", ",", "\"urls\":", "\"urls\"", "null", "true", "1e999", "\"a.b[0]\":", "\"Path: \":", "\"\\ud800\":", "\"$.urls\":", "\"soft\":", "\"concurrency\":", "/**/"],
            BytesPerByte = 500,
        },
        new("object-fields", Fields) { Words = ["Accept-Language: de", ":", "\n", "Host", " ", "\r", "X-A:"], BytesPerByte = 300 },
        new("redis-purge-log", Log)
        {
            Words = ["1732550000000-0", "0-0", "-", "\n", "log", "{\"origin\":\"a\",\"request\":{\"urls\":[\"http://example.org/a\"]},\"at\":\"2026-11-26T12:00:00+00:00\"}", "null", "18446744073709551615-1", "*"],
            BytesPerByte = 600,
        },
    ];

    /// <summary>Lines <c>path=value</c>: shown whatever they are, without what they're to keep to themselves.</summary>
    private static int Configuration(byte[] input)
    {
        var values = new List<KeyValuePair<string, string?>>
        {
            new("CdnEdge:Redis:Connection", $"redis,password={Marker}"),
            new("CdnEdge:Purge:Peers:b:Token", Marker),
            new("ReverseProxy:Clusters:a:Destinations:b:Address", $"http://user:{Marker}@127.0.0.1/"),
        };
        var count = values.Count;
        foreach (var line in Given.Text(input).Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            values.Add(new(equals < 0 ? line : line[..equals], equals < 0 ? null : line[(equals + 1)..]));
        }

        var view = ConfigurationView.Of(values.DistinctBy(static value => value.Key, StringComparer.OrdinalIgnoreCase)).ToJsonString();
        Claim.Holds(!view.Contains(Marker, StringComparison.Ordinal));
        return Math.Min(values.Count - count, 20) + (view.Split(ConfigurationView.Redacted).Length << 6);
    }

    /// <summary>Whatever is wrong with a body can be told, and told in JSON.</summary>
    private static int Problem(byte[] input)
    {
        var problems = 0;
        foreach (var type in new System.Text.Json.Serialization.Metadata.JsonTypeInfo[] { AdminJson.Default.PurgeBody, AdminJson.Default.WarmBody })
        {
            try
            {
                JsonSerializer.Deserialize(input, type);
            }
            catch (JsonException mistake)
            {
                var problem = AdminErrors.OfJson(mistake);
                Claim.Holds(problem.Status == 400 && problem.Errors is [{ Pointer: not null, Detail.Length: > 0 }]);
                problems += 1 + (problem.Errors![0].Detail.Length << 8);
                _ = JsonSerializer.SerializeToUtf8Bytes(problem, AdminJson.Default.AdminProblem);
            }
        }

        return problems;
    }

    private static int Fields(byte[] input)
    {
        var isRead = ObjectEndpoints.TryReadFields(Encoding.UTF8.GetString(input).Split('\n'), out var fields, out var mistake);
        Claim.Holds(isRead == mistake is null);
        if (!isRead)
            return 0;
        Claim.Holds(fields.Keys.All(static name => Token.IsToken(name)));
        _ = Variance.SelectingKey(Given.Plain, [SelectorName.OfHeader("accept-encoding"), SelectorName.OfHeader("accept-language"), SelectorName.OfHeader("x-a")], fields);
        return 1 + Math.Min(fields.Count, 20);
    }

    /// <summary>Lines: an entry's id, <c>previous</c>, <c>log</c>, <c>entry</c>. Only an id that can't be one ends the reading.</summary>
    private static int Log(byte[] input)
    {
        var parts = new RedisValue[4];
        var rest = input.AsSpan();
        for (var i = 0; i < parts.Length && !rest.IsEmpty; i++)
        {
            var end = i == 3 ? -1 : rest.IndexOf((byte)'\n');
            parts[i] = (end < 0 ? rest : rest[..end]).ToArray();
            rest = end < 0 ? default : rest[(end + 1)..];
        }

        NameValueEntry[] fields = [new("previous", parts[1]), new("log", parts[2]), new("entry", parts[3])];
        try
        {
            var record = RedisPurgeLog.Read(new StreamEntry(parts[0].IsNull ? RedisValue.EmptyString : parts[0], fields), isTraffic: false);
            Claim.Holds(record.Id >= 0 && record.Previous >= 0);
            new PurgeApplier(new PurgeEpochs(), static () => [Given.Plain]).Apply(record.Entry, record.Id);
            return 1 + (record.Entry is null ? 0 : 2) + (record.Log.Length > 0 ? 4 : 0);
        }
        catch (PurgeLogUnavailableException)
        {
            return 0;
        }
    }
}
