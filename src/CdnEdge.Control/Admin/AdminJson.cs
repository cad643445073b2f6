using System.Text.Json.Serialization;

namespace CdnEdge.Control;

/// <summary>The JSON of the API: camelCase, nothing unknown and nothing twice.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(PurgeBody))]
[JsonSerializable(typeof(PurgeAnswer))]
[JsonSerializable(typeof(EstimateAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(ObjectsAnswer))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(DrainAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(ConfigAnswer))]
[JsonSerializable(typeof(AdminProblem))]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(PurgeMethodAnswer))]
[JsonSerializable(typeof(WarmBody))]
[JsonSerializable(typeof(WarmBegin))]
[JsonSerializable(typeof(WarmProgress))]
[JsonSerializable(typeof(WarmEnd))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool?))]
[JsonSerializable(typeof(int?))]
internal sealed partial class AdminJson : JsonSerializerContext;
