<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Contract\Settings;
use PHPUnit\Framework\TestCase;

/** Rules that three languages implement, held together by one file of cases each. */
final class VectorsTest extends TestCase
{
    public static function conditions(): array
    {
        $file = dirname(__DIR__, 2) . '/core/contract/vectors/when.json';
        $cases = json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR)['cases'];
        return array_column(array_map(fn(array $case): array => [$case['name'], [$case]], $cases), 1, 0);
    }

    public static function hosts(): array
    {
        $file = dirname(__DIR__, 2) . '/core/contract/vectors/hosts.json';
        return json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR)['cases'];
    }

    /** @dataProvider hosts */
    public function testAHostIsFound(string $address, string $host): void
    {
        self::assertSame($host, Settings::hostOf($address));
    }

    /** @dataProvider conditions */
    public function testAConditionHolds(array $case): void
    {
        self::assertSame($case['holds'], Settings::holds($case['when'], $case['settings']));
    }
}
