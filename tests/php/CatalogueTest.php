<?php

use Jeenergie\Contract\Catalogue;

final class CatalogueTest extends JeenergieTestCase
{
    public function testRowsAreTheCommonOnesThoseOfTheSetsAndItsOwn(): void
    {
        $logicalIds = array_column(Catalogue::rows($this->lab(), 'meter'), 'logicalId');
        $this->assertSame(['refresh', 'power', 'index1', 'index2', 'valve', 'open', 'level', 'odd'], $logicalIds);
    }

    public function testEachFillsEveryText(): void
    {
        $row = Catalogue::rows($this->lab(), 'meter')[3];
        $this->assertSame('Index 2', $row['name']);
        $this->assertArrayNotHasKey('each', $row);
    }

    public function testRowsThatHoldHaveTheirUnit(): void
    {
        $rows = Catalogue::applicableRows($this->lab(), 'meter', ['kind' => 'gas', 'connection.mode' => 'one']);
        $this->assertArrayNotHasKey('level', $rows);
        $this->assertSame('m³', $rows['index1']['unit']);
    }

    public function testACommandMayBeSlowedDownAndARowMayAskMore(): void
    {
        $fields = Catalogue::commandFields($this->lab(), 'meter');
        $this->assertSame(['period', 'cadence'], array_column($fields['odd'], 'key'));
        $this->assertSame(['cadence'], array_column($fields['power'], 'key'));
        $this->assertSame([], $fields['open']);
    }

    public function testPagesGetNoCommands(): void
    {
        $catalogue = Catalogue::translated($this->lab());
        $this->assertArrayNotHasKey('commands', $catalogue['connection']);
        $this->assertArrayNotHasKey('commands', $catalogue['equipment']['meter']);
        $this->assertArrayNotHasKey('sets', $catalogue);
    }

    public function testAnUnknownSystemOrTypeIsSaid(): void
    {
        $this->expectExceptionMessage('inconnu du plugin');
        Catalogue::of('../schema/catalogue');
    }

    /** @dataProvider shipped */
    public function testEveryShippedCatalogueCanBeApplied(string $backend): void
    {
        $file = dirname(__DIR__, 2) . '/core/contract/catalogue/' . $backend . '.json';
        $catalogue = json_decode(file_get_contents($file), true);
        $this->forgetCatalogues();
        $this->assertSame($backend, $catalogue['backend']);
        foreach (array_merge([null], array_keys($catalogue['equipment'])) as $type) {
            $all = array_column(Catalogue::rows($backend, $type), null, 'logicalId');
            foreach ($all as $row) {
                $this->assertSame($row['value'] ?? null, isset($row['value']) ? $all[$row['value']]['logicalId'] : null);
                $this->assertLessThanOrEqual(127, strlen($row['name']));
            }
        }
    }

    public static function shipped(): array
    {
        return array_map(fn(string $backend): array => [$backend], Catalogue::backends());
    }

    /** @dataProvider shipped */
    public function testEveryNameThatThePluginGivesCanBeReadInEnglish(string $backend): void
    {
        $english = json_decode(file_get_contents(dirname(__DIR__, 2) . '/core/i18n/en_US.json'), true);
        $section = 'plugins/jeenergie/core/contract/';
        $same = array_merge($english[$section . 'tiles.json'], $english[$section . 'catalogue/' . $backend . '.json']);
        $same = array_filter($same, fn(string $text, string $french): bool => $text === $french, ARRAY_FILTER_USE_BOTH);
        $this->forgetCatalogues();
        translate::$sections = $english;
        try {
            foreach (array_merge([null], array_keys(Catalogue::of($backend)['equipment'])) as $type) {
                foreach (Catalogue::rows($backend, $type) as $row) {
                    $whole = preg_replace('/ phase \d$/', '', $row['name']);
                    $read = Catalogue::nameToRead($backend, $row, $row['name']);
                    $this->assertTrue($read !== $row['name'] || isset($same[$whole]), $row['name']);
                }
            }
        } finally {
            translate::$sections = [];
        }
    }

    public function testAnExampleInAFieldIsReadInTheLanguageOfTheUser(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['connection']['fields'][0]['placeholder'] = 'moi@exemple.fr';
        $this->useCatalogue($catalogue);
        translate::$texts = ['moi@exemple.fr' => 'me@example.com'];
        try {
            $this->assertSame('me@example.com', Catalogue::translated($this->lab())['connection']['fields'][0]['placeholder']);
        } finally {
            translate::$texts = [];
        }
    }

    public function testChoicesKeepTheirOrderInABrowser(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['meter']['fields'][0]['choices'] = ['all' => 'All', '1' => 'One', '2' => 'Two'];
        $this->useCatalogue($catalogue);
        $this->assertSame(['all', '1', '2'], Catalogue::fields($this->lab(), 'meter')[0]['order']);
    }
}
