<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Contract\Rows;
use Jeenergie\Contract\Settings;
use Jeenergie\Energy\Panel;
use Jeenergie\Pages\Plural;
use PHPUnit\Framework\TestCase;

/** Rules that three languages implement, held together by one file of cases each. */
final class VectorsTest extends TestCase
{
    private static function read(string $file): array
    {
        $text = file_get_contents(dirname(__DIR__, 2) . '/core/contract/vectors/' . $file);
        return json_decode($text, true, 512, JSON_THROW_ON_ERROR);
    }

    /** @return array[] one set of arguments for each case of a file, by its name */
    private static function cases(string $file): array
    {
        $named = array_map(fn(array $case): array => [$case['name'], [$case]], self::read($file)['cases']);
        return array_column($named, 1, 0);
    }

    public static function conditions(): array
    {
        return self::cases('when.json');
    }

    public function testThePanelKnowsTheUnits(): void
    {
        $shownBy = ['Wh' => ['kWh', 1000], 'm³' => ['m³', 1]];
        foreach (self::read('value.json')['units'] as $name => [$of, $times]) {
            [$unit, $by] = $shownBy[$of] ?? [$of, 1];
            self::assertEquals([$unit, $times / $by], Panel::shownAs($name), $name);
        }
        self::assertSame(['€', 1.0], Panel::shownAs('€'));
    }

    public static function settings(): array
    {
        return self::cases('settings.json');
    }

    public static function rows(): array
    {
        return self::cases('profiles.json');
    }

    public static function hosts(): array
    {
        return self::read('hosts.json')['cases'];
    }

    /** @dataProvider hosts */
    public function testAHostIsFound(string $address, string $host): void
    {
        self::assertSame($host, Settings::hostOf($address));
    }

    public static function plurals(): array
    {
        return self::read('plurals.json')['cases'];
    }

    /** @dataProvider plurals */
    public function testANumberTakesSingularOrPlural(string $language, float $number, bool $singular): void
    {
        self::assertSame($singular, Plural::isOne($number, $language));
    }

    /** @dataProvider conditions */
    public function testAConditionHolds(array $case): void
    {
        self::assertSame($case['holds'], Settings::holds($case['when'], $case['settings']));
    }

    /** @dataProvider settings */
    public function testSettingsHold(array $case): void
    {
        $file = self::read('settings.json');
        $wanted = $case['holds'] + $file['defaults'];
        $found = Settings::resolve($file['fields'], $case['given']);
        ksort($wanted);
        ksort($found);
        self::assertSame($wanted, $found);
    }

    /** @dataProvider rows */
    public function testARowIsWrittenOut(array $case): void
    {
        $given = self::read('profiles.json');
        $this->assertEquals($case['rows'], Rows::writtenOut($case['row'], $given['profiles'], $given['phases']));
    }
}
