<?php

use Jeenergie\MoveIn\PointCopy;
use Jeenergie\MoveIn\Journal;
use Jeenergie\MoveIn\Recipe;
use Jeenergie\MoveIn\Tokens;

/** What a former plugin's settings, ids and units become; the whole way is walked in tests/jeedom/test_jeedom_movein.py. */
final class MoveInTest extends JeenergieTestCase
{
    private const FORMER = [
        'plugin' => 'old', 'title' => 'Old',
        'connections' => [
            'of' => 'configuration', 'prefix' => 'account::', 'key' => ['from' => 'id'], 'name' => ['from' => 'name'],
            'fields' => [
                'user' => ['from' => 'login'], 'password' => ['from' => 'secret', 'encrypted' => true],
                'mode' => ['from' => 'widget', 'map' => ['1' => 'one', '3' => 'three']],
                'options' => ['flags' => ['PA', 'PR', 'PC']],
            ],
        ],
        'equipment' => [
            ['match' => ['configuration.type' => '^general$'], 'parent' => ['from' => 'id'], 'type' => null],
            ['type' => 'probe', 'match' => ['configuration.type' => '^sonde$'], 'when' => ['mode' => 'three'],
                'key' => ['from' => 'logicalId', 'pattern' => '_A(\d+)$'], 'parent' => ['from' => 'configuration.account']],
            ['type' => 'box', 'match' => ['configuration.type' => '^box$'], 'key' => ['in' => 'connection', 'from' => 'serial']],
            ['match' => ['configuration.type' => '^dead$'], 'help' => 'Plus jamais.'],
        ],
        'commands' => ['Refresh' => 'refresh'], 'units' => ['db dBm' => 1],
    ];

    private function recipe(): Recipe
    {
        return new Recipe(self::FORMER, [utils::class, 'decrypt']);
    }

    public function testASettingIsReadDecryptedAndMapped(): void
    {
        $made = $this->recipe()->connections([[
            'id' => 7, 'name' => 'Maison', 'login' => ' me ', 'secret' => utils::encrypt('p4ss'), 'widget' => '3', 'PA' => '1',
            'PR' => '0', 'PC' => 1,
        ]]);
        $this->assertSame('7', $made[0]['key']);
        $this->assertSame('Maison', $made[0]['name']);
        $this->assertSame(
            ['user' => 'me', 'password' => 'p4ss', 'mode' => 'three', 'options' => ['PA', 'PC']],
            $made[0]['config']
        );
    }

    public function testWhatIsNotThereIsLeftOut(): void
    {
        $made = $this->recipe()->connections([['id' => 7, 'login' => '', 'widget' => '2']]);
        $this->assertSame(['options' => []], $made[0]['config']);
    }

    public function testSettingsThereCanBeAnEquipmentHere(): void
    {
        $this->forgetCatalogues();
        $recipe = new Recipe(Jeenergie\Contract\Catalogue::of('enphase')['former'], [utils::class, 'decrypt']);
        $stage = [
            'autoconso' => 'oui', 'typereseau' => 'mono', 'wattsautoconso1on' => '1500', 'wattsautoconso1off' => '-100',
            'cmdautoconso1on' => '#12#', 'cmdautoconso1off' => '#13#', 'cmdautoconso1on1' => '#14#', 'cmdautoconso1off1' => '#15#',
        ];
        [$one] = $recipe->connections([$stage])[0]['makes'];
        $this->assertSame('stage', $one['type']);
        $this->assertSame(
            ['onAbove' => '1500', 'onCommand' => '#12#', 'offBelow' => '-100', 'offCommand' => '#13#'],
            $one['config']
        );
        $this->assertSame(['autoconso1' => 'autoconso'], $one['commands']);
        $three = $recipe->connections([['typereseau' => 'tri', 'cmdautoconso1on3' => '#16#'] + $stage])[0]['makes'];
        $this->assertSame([['1', '#14#'], ['3', '#16#']], array_map(
            static fn(array $each): array => [$each['config']['phase'], $each['config']['onCommand']],
            $three
        ));
        $this->assertSame([], $recipe->connections([['autoconso' => 'non'] + $stage])[0]['makes']);
    }

    public function testAnEquipmentFindsItsConnectionByItsKey(): void
    {
        $recipe = $this->recipe();
        $connections = $recipe->connections([
            ['id' => 1, 'widget' => '1', 'serial' => 'S1'], ['id' => 2, 'widget' => '3', 'serial' => 'S2'],
        ]);
        $probe = ['id' => '9', 'logicalId' => '5_A12', 'configuration.type' => 'sonde', 'configuration.account' => '2'];
        $this->assertSame(
            ['type' => 'probe', 'key' => '12', 'config' => [], 'existing' => false, 'connection' => 1],
            $recipe->equipment($probe, $connections)
        );
        // The same one of the other account, whose settings exclude it.
        $this->assertSame('unknown', $recipe->equipment(['configuration.account' => '1'] + $probe, $connections)['reason']);
        $this->assertSame('S1', $recipe->equipment(['configuration.type' => 'box'], $connections)['key']);
        $this->assertSame('Plus jamais.', $recipe->equipment(['configuration.type' => 'dead'], $connections)['help']);
        $this->assertSame('unknown', $recipe->equipment(['configuration.type' => 'else'], $connections)['reason']);
        $this->assertNull($recipe->equipment(['id' => '2', 'configuration.type' => 'general'], $connections)['type']);
    }

    public function testAnEquipmentWithoutASerialNumberIsNotInvented(): void
    {
        $connections = $this->recipe()->connections([['id' => 1, 'serial' => '']]);
        $this->assertSame('key', $this->recipe()->equipment(['configuration.type' => 'box'], $connections)['reason']);
    }

    public function testCommandsKeepTheirLogicalIdOrGetTheirNewOne(): void
    {
        $this->assertSame('refresh', $this->recipe()->logicalId('Refresh'));
        $this->assertSame('power', $this->recipe()->logicalId('power'));
    }

    /** @return array[] a text, and what it becomes with 12 now 900, 123 now 901, and equipment 4 now 40 */
    public static function texts(): array
    {
        return [
            'a command' => ['#12# > 5 et #123# == 1', '#900# > 5 et #901# == 1'],
            'two side by side' => ['#12##123#', '#900##901#'],
            'another number' => ['#1234# 12 "12" #1 2#', '#1234# 12 "12" #1 2#'],
            'within a function' => ['average(#12#,1 hour)', 'average(#900#,1 hour)'],
            'an equipment' => ['#eqLogic4#', '#eqLogic40#'],
            'a longer equipment' => ['#eqLogic41#', '#eqLogic41#'],
            'a right' => ['{"eqLogic4":"r","eqLogic41":"x"}', '{"eqLogic40":"r","eqLogic41":"x"}'],
            'an option' => ['{"eqLogic":"4","cmd":"12"}', '{"eqLogic":"40","cmd":"900"}'],
            'a number as an option' => ['{"eqLogic_id":4,"cmd_id":123}', '{"eqLogic_id":40,"cmd_id":901}'],
            'a design' => ['{"cmdHide":{"12":"1","5":"0"},"12":"1"}', '{"cmdHide":{"900":"1","5":"0"},"12":"1"}'],
        ];
    }

    /** @dataProvider texts */
    public function testAnIdIsReplacedWhereItStandsAsOne(string $before, string $after): void
    {
        $tokens = new Tokens(['12' => '900', '123' => '901'], ['4' => '40']);
        $this->assertSame($after, $tokens->replacedIn($before));
        $this->assertSame($before, $tokens->reversed()->replacedIn($after));
    }

    public function testANewIdThatWasAFormerOneIsNotReplacedAgain(): void
    {
        $this->assertSame('#2# #3#', (new Tokens(['1' => '2', '2' => '3'], []))->replacedIn('#1# #2#'));
    }

    public function testALinkIsReplacedByItsKind(): void
    {
        $tokens = new Tokens(['12' => '900'], ['12' => '40']);
        $this->assertSame('900', $tokens->replacedLink('cmd', '12'));
        $this->assertSame('40', $tokens->replacedLink('eqLogic', '12'));
        $this->assertSame('12', $tokens->replacedLink('graph', '12'));
    }

    public function testUnitsThatDifferByAPrefixAreConverted(): void
    {
        $this->assertSame(0.001, PointCopy::factor('Wh', 'kWh'));
        $this->assertSame(1000.0, PointCopy::factor('kW', 'W'));
        $this->assertSame(1.0, PointCopy::factor('Va', 'VA'));
        $this->assertSame(1.0, PointCopy::factor('', 'W'));
        $this->assertNull(PointCopy::factor('l', 'kWh'));
        $this->assertNull(PointCopy::factor('m', 'kWh'));
        $this->assertSame(1.0, $this->recipe()->factor('db', 'dBm'));
    }

    public function testTheJournalIsReadBackAsItWasWritten(): void
    {
        $journal = Journal::begin('old', ['plan' => ['name' => 'Été « 1 »']]);
        $journal->done('stop');
        $journal->report(['a', 'a', 'b']);
        $read = Journal::of('old');
        $this->assertSame(['name' => 'Été « 1 »'], $read->get('plan'));
        $this->assertTrue($read->hasDone('stop'));
        $this->assertFalse($read->hasDone('history'));
        $this->assertSame(['a', 'b'], $read->get('report'));
        $this->assertCount(1, Journal::unfinished());
        $read->note(['state' => 'done']);
        $this->assertSame([], Journal::unfinished());
    }

    public function testAHalfWrittenJournalIsNotTheJournal(): void
    {
        Journal::begin('old', ['plan' => []])->note(['state' => 'done']);
        file_put_contents(jeedom::getTmpFolder() . '/daemon/movein-old.json.new', '{"plugin":"old","sta');
        $this->assertSame('done', Journal::of('old')->get('state'));
    }

    /** Every value names a setting that there is, and every map gives what it accepts. */
    public function testTheCataloguesNameSettingsAndTypesThatExist(): void
    {
        $this->forgetCatalogues();
        $found = 0;
        foreach (Jeenergie\Contract\Catalogue::backends() as $backend) {
            $catalogue = Jeenergie\Contract\Catalogue::of($backend);
            if (!isset($catalogue['former'])) {
                continue;
            }
            $found++;
            $parts = [[null, $catalogue['former']['connections']['fields'] ?? []]];
            foreach ($catalogue['former']['equipment'] as $rule) {
                $parts[] = [$rule['type'] ?? null, $rule['fields'] ?? []];
            }
            foreach ($catalogue['former']['connections']['makes'] ?? [] as $rule) {
                $parts[] = [$rule['type'], $rule['fields']];
                $rows = Jeenergie\Contract\Catalogue::applicableRows($backend, $rule['type'], []);
                $this->assertSame([], array_diff($rule['commands'], array_keys($rows)), $backend);
            }
            foreach ($parts as [$type, $fields]) {
                $known = array_column(Jeenergie\Contract\Catalogue::fields($backend, $type), null, 'key');
                foreach ($fields as $field => $value) {
                    $this->assertArrayHasKey($field, $known, $backend);
                    $choices = $known[$field]['choices'] ?? null;
                    foreach ($choices === null ? [] : $value['map'] ?? array_flip($value['flags'] ?? []) as $key => $made) {
                        $this->assertArrayHasKey(isset($value['map']) ? $made : $key, $choices, $backend . ' ' . $field);
                    }
                }
            }
        }
        $this->assertSame(5, $found);
    }
}
