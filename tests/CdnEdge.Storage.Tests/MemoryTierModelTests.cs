using CsCheck;

namespace CdnEdge.Storage.Tests;

public class MemoryTierModelTests
{
    private enum Step
    {
        Put,
        Find,
        RemoveKey,
        RemoveResponse,
        UpdateHead,
    }

    [Fact]
    public void The_bound_holds_after_every_step_and_what_is_found_is_what_was_put_last() =>
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 40], Gen.Int[0, 2], Gen.Int[0, 60_000], Gen.Int[0, 3000]).List[1, 400].Sample(
            steps =>
            {
                using var arena = new SegmentArena();
                using var tier = new MemoryTier(600_000, arena);
                var last = new Dictionary<(int Key, int Variant), StoredResponse>();
                var seeds = new Dictionary<StoredResponse, (int Length, int Seed, int Variant)>();
                var seed = 0;
                foreach (var (step, number, variant, size, headBytes) in steps)
                {
                    var key = Responses.Key($"/{number}");
                    var variants = tier.Find(key)?.Variants ?? [];
                    var chosen = variants.Length == 0 ? null : variants[size % variants.Length];
                    switch (step)
                    {
                        case Step.Put:
                            var body = size == 0 ? null : Content.Body(arena, Content.Of(size, ++seed), lengthKnown: headBytes % 2 == 0);
                            var response = new StoredResponse(Responses.Head($"v{variant}", headBytes), body);
                            Assert.True(tier.Put(key, response, 2));
                            last[(number, variant)] = response;
                            seeds[response] = (size, seed, variant);
                            break;
                        case Step.Find when chosen is not null:
                            tier.Touch(chosen);
                            break;
                        case Step.RemoveKey:
                            Assert.Equal(variants.Length > 0, tier.Remove(key));
                            Assert.Null(tier.Find(key));
                            break;
                        case Step.RemoveResponse when chosen is not null:
                            Assert.True(tier.Remove(chosen));
                            break;
                        case Step.UpdateHead when chosen is not null:
                            Assert.True(tier.UpdateHead(chosen, Responses.Head($"v{seeds[chosen].Variant}", headBytes)));
                            break;
                    }

                    Assert.InRange(tier.UsedBytes, 0, tier.MaxBytes);
                    Assert.True(arena.OccupiedBytes <= tier.UsedBytes);
                }

                var found = 0;
                for (var number = 0; number <= 40; number++)
                {
                    var variants = tier.Find(Responses.Key($"/{number}"))?.Variants ?? [];
                    Assert.InRange(variants.Length, 0, 2);
                    found += variants.Length;
                    foreach (var variant in variants)
                    {
                        Assert.Contains(variant, last.Values);
                        var (length, by, _) = seeds[variant];
                        Assert.Equal(length, variant.Body?.Length ?? 0);
                        if (variant.Body is { } body)
                            Assert.Equal(Content.Of(length, by), Content.ReadAll(body, 0, length));
                    }
                }

                Assert.Equal(found, tier.Count);
                tier.Dispose();
                Assert.Equal(0, arena.OccupiedBytes);
            },
            iter: 100);

    [Fact]
    public void The_index_agrees_with_a_dictionary_whatever_is_added_and_removed_even_when_hashes_collide() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 300]).List[1, 2000].Sample(
            steps =>
            {
                var index = new ResourceIndex();
                var model = new Dictionary<int, Resource>();
                foreach (var (add, number) in steps)
                {
                    if (model.Remove(number, out var resource))
                    {
                        index.Remove(resource);
                    }
                    else if (add)
                    {
                        // Seven chains that run into each other.
                        resource = new Resource(Responses.KeyWithHash($"{number}", (UInt128)(number % 7)));
                        index.Reserve();
                        index.Add(resource);
                        model.Add(number, resource);
                    }
                }

                Assert.Equal(model.Count, index.Count);
                for (var number = 0; number <= 300; number++)
                {
                    var key = Responses.KeyWithHash($"{number}", (UInt128)(number % 7));
                    Assert.Same(model.GetValueOrDefault(number), index.Find(key.Hash, key.Bytes));
                }
            },
            iter: 50);
}
