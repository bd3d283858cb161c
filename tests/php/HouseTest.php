<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Energy\House;

final class HouseTest extends JeenergieTestCase
{
    private function home(): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $row = ['type' => 'info', 'subType' => 'numeric', 'source' => 'x'];
        $catalogue['equipment']['meter']['commands'] = [
            ['logicalId' => 'grid', 'name' => 'Réseau', 'unit' => 'W', 'measures' => 'home.gridPower'] + $row,
            ['logicalId' => 'day', 'name' => 'Coût', 'unit' => '€', 'measures' => ['quantity' => 'home.cost', 'per' => 'today']] + $row,
            ['logicalId' => 'past', 'name' => 'Par jour', 'unit' => '€', 'measures' => ['quantity' => 'home.cost', 'per' => 'day']] + $row,
        ];
        $this->useCatalogue($catalogue);
        return $this->equipment($this->connection());
    }

    public function testWithoutAHouseNothingIsShown(): void
    {
        $this->assertSame(['home' => null], House::house());
    }

    public function testTheFirstDrawingHasTheValuesOfTheHouseAndTheirDates(): void
    {
        $home = $this->home();
        $this->cmd($home, 'grid')->event(0, '2026-06-15 12:00:00');
        $found = House::house();
        $this->assertSame((string) $home->getId(), $found['home']);
        $this->assertSame(['gridPower', 'cost.today'], array_keys($found['values']));
        $this->assertSame((string) $this->cmd($home, 'grid')->getId(), $found['values']['gridPower']['cmd']);
        $this->assertSame('0', (string) $found['values']['gridPower']['value'], 'nothing drawn is a figure');
        $this->assertSame(strtotime('2026-06-15 12:00:00'), $found['values']['gridPower']['at']);
        $this->assertNull($found['values']['cost.today']['value'], 'what is not known is no figure');
    }

    public function testQuietValuesHoldUntilTheDaemonAnswersWhileTheHouseIsOnline(): void
    {
        $connection = jeenergie::byId($this->home()->getConfiguration('connection'));
        foreach (['online' => true, 'no_data' => false, 'unreachable' => false] as $state => $holds) {
            $connection->setCache('state', ['state' => $state]);
            $this->assertSame($holds, House::house()['holds'], $state);
        }
    }

    public function testTheBalanceNamesItsDevices(): void
    {
        $home = $this->home();
        $id = $home->getId();
        $result = ['rows' => [], 'devices' => ['used' => [$id => 2.5, 999999 => 1.0], 'rest' => 4.0]];
        $this->startDaemon(json_encode(['id' => null, 'ok' => true, 'result' => $result]));
        $found = House::balance(['from' => '2026-06-15', 'to' => '2026-06-15', 'per' => 'hour']);
        $this->assertSame([[(string) $id, 'Meter 1', 2.5]], array_map(
            fn(array $each): array => [$each['id'], $each['name'], $each['energy']],
            $found['devices']
        ));
        $this->assertSame(5.0, $found['rest'], 'a device that is gone stays part of the house');
    }

    public function testARestThatIsNotKnownStaysSo(): void
    {
        $this->home();
        $this->startDaemon('{"id":null,"ok":true,"result":{"rows":[],"devices":{"used":{"999999":1.0},"rest":null}}}');
        $this->assertNull(House::balance(['per' => 'day'])['rest']);
    }

    public function testRolesHaveTheNamesOfTheirSources(): void
    {
        $id = (string) $this->home()->getId();
        $role = ['quantity' => 'grid.power', 'value' => 12.0,
            'source' => ['equipment' => $id, 'command' => 'grid', 'quantity' => 'grid.power']];
        $gone = ['source' => ['equipment' => '999999', 'command' => 'x', 'quantity' => 'solar.power']] + $role;
        $this->startDaemon(json_encode(['id' => null, 'ok' => true, 'result' => ['roles' => [$role, $gone], 'now' => ['grid' => null]]]));
        $found = House::roles();
        $this->assertCount(1, $found['roles']);
        $this->assertSame(['Meter 1', 'Réseau', 'W'], [
            $found['roles'][0]['equipment'],
            $found['roles'][0]['command'],
            $found['roles'][0]['unit'],
        ]);
        $this->assertSame(['grid' => null], $found['now']);
    }

    public function testWithoutAHouseTheDaemonIsNotAsked(): void
    {
        $this->expectExceptionMessage('La maison n\'existe pas encore');
        House::balance(['per' => 'day']);
    }

    public function testThePictureInSmallHasItsDataAndItsScriptsOnce(): void
    {
        $home = $this->home();
        $this->cmd($home, 'grid')->event(420);
        $this->setStatic(House::class, 'isScripted', false);
        $first = House::small($home);
        preg_match('/data-jh-house="([^"]*)"/', $first, $found);
        $told = json_decode(htmlspecialchars_decode($found[1], ENT_QUOTES), true);
        $this->assertSame(['gridPower'], array_keys($told['values']), 'what the picture does not show is not sent');
        $this->assertSame('420', (string) $told['values']['gridPower']['value']);
        $this->assertStringContainsString('house.attach = function', $first);
        $this->assertStringNotContainsString('house.attach = function', House::small($home));
    }

    public function testASuppliersAccountAloneShowsNothingLive(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $row = ['type' => 'info', 'subType' => 'numeric', 'source' => 'x', 'history' => true];
        $named = ['grid' => 'home.gridPower', 'bought' => 'supply.energy', 'sun' => 'solar.estimatedEnergy', 'gas' => 'gas.energy'];
        foreach ($named as $id => $quantity) {
            $per = $id === 'grid' ? 'now' : 'day';
            $catalogue['equipment']['meter']['commands'][] = ['logicalId' => $id, 'name' => $id, 'unit' => $per === 'now' ? 'W' : 'kWh',
                'measures' => ['quantity' => $quantity, 'per' => $per]] + $row;
        }
        $this->useCatalogue($catalogue);
        $this->equipment($this->connection());
        $found = House::house();
        $this->assertSame([[], []], [$found['has'], $found['devices']], 'the page then says so, and shows the balance alone');
    }
}
